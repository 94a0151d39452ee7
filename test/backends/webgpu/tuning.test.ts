/** The forms of contractions are measured on the device, kept, and given back. */
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { useSwiftShader } from '../../../proof/webgpu.ts'
import { openAdapter } from '../../../src/backends/webgpu/adapter.ts'
import { backendOver } from '../../../src/backends/webgpu/backend.ts'
import { formsOf, nameOfForm } from '../../../src/backends/webgpu/contraction/forms.ts'
import type { Target } from '../../../src/backends/webgpu/target.ts'
import type { TunedStore } from '../../../src/backends/webgpu/tuned.ts'
import { fileStore } from '../../../src/backends/webgpu/tuned.node.ts'
import { openTuner, type TunerOptions } from '../../../src/backends/webgpu/tuner.ts'
import { learn, subjectsOf, type Bench, type Forms } from '../../../src/backends/webgpu/tuning.ts'
import { deviceOn, type Device } from '../../../src/tensor/device.ts'
import { key, normal } from '../../../src/tensor/random.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { cpuDevice } from '../../support/device.ts'

useSwiftShader()
const opened = await openAdapter({ software: true })

/** A device that takes SwiftShader for a GPU, with few invocations so that its forms are few. */
const target: Target = { software: false, subgroups: false, invocations: 64, workgroupBytes: 16384 }

const tuned = (options: Omit<TunerOptions, 'tune'> & { readonly tune?: boolean }): Device =>
  deviceOn(backendOver(opened, {}, openTuner(target, { tune: true, ...options })))

const remembering = (): TunedStore & { readonly saved: Forms } => {
  const saved: Forms = {}
  return {
    saved,
    where: 'memory',
    forget: () => Promise.resolve(),
    load: () => Promise.resolve(saved),
    save: (forms) => {
      Object.assign(saved, forms)
      return Promise.resolve()
    },
  }
}

const [x, y] = [normal(key(1), [34, 40]), normal(key(2), [40, 36])]
const product = (a: Tensor, b: Tensor): Tensor => a.matmul(b).add(1)
const shapeClass = 'gemm 1×34×36×40 f32 f32 f32, by terms columns'

describe('a device that measures forms', () => {
  it('computes what cpu does, and keeps the form that it took', async () => {
    const store = remembering()
    const device = tuned({ store })
    const [got, expected] = [
      await device.read(await device.compile(product)(x, y)),
      await cpuDevice().read(product(x, y)),
    ]
    expect(Math.max(...Array.from(got, (v, i) => Math.abs(v - (expected[i] ?? NaN))))).toBeLessThan(1e-4)
    expect(Object.keys(store.saved)).toEqual([shapeClass])
    expect(device.choices).toEqual({ forms: store.saved })
  })

  it('takes the form that was found before, and one that a run has chosen goes over it', async () => {
    const found = { [shapeClass]: 'direct, parts 1' }
    const chosen = { [shapeClass]: '32×32×16 of 4×4, parts 1' }
    for (const [options, form] of [
      [{ found }, found],
      [{ found, choices: { forms: chosen } }, chosen],
    ] as const) {
      const device = tuned(options)
      await device.compile(product)(x, y)
      expect(device.choices).toEqual({ forms: form })
    }
  })

  it('measures again where the kept form is none of those that there are', async () => {
    const store = remembering()
    const device = tuned({ store, found: { [shapeClass]: '7×7×7 of 1×1, parts 1' } })
    await device.compile(product)(x, y)
    expect(device.choices).toEqual({ forms: store.saved })
    expect(Object.values(store.saved)).not.toContain('7×7×7 of 1×1, parts 1')
  })

  it('refuses the choices of a run that it cannot make', async () => {
    const device = tuned({ choices: { forms: { [shapeClass]: '7×7×7 of 1×1, parts 1' } } })
    await expect(device.compile(product)(x, y)).rejects.toThrow(
      `${shapeClass} was computed in the form 7×7×7 of 1×1, parts 1, which this GPU, or this version of fathom, does not have`,
    )
    expect(() => tuned({ choices: { fma: true } })).toThrow('its choices are the forms of contractions')
  })

  it('measures nothing where that is switched off', async () => {
    const device = tuned({ tune: false })
    await device.compile(product)(x, y)
    expect(device.choices).toEqual({ forms: { [shapeClass]: '32×32×16 of 4×4, parts 1' } }) // the best guess
  })
})

/** What a form does that is none: what it makes of the right results, and the milliseconds of its runs. */
interface Played {
  readonly results: (right: Float32Array<ArrayBuffer>) => Float32Array<ArrayBuffer>
  readonly times: readonly number[]
}

/** A bench on which the forms of a contraction do as they are told; the reference, which comes first, is right. */
const benchOf = (forms: readonly Played[], count: number): Bench => {
  const memory: Uint8Array<ArrayBuffer>[] = []
  const right = Float32Array.from({ length: count }, (_, i) => i + 1)
  let made = 0
  return {
    allocate: (bytes) => ({ bytes, chunk: memory.push(new Uint8Array(bytes)) - 1, offset: 0 }),
    release: () => undefined,
    write: ({ chunk }, bytes) => {
      memory[chunk]?.set(bytes)
    },
    read: ({ chunk }) => Promise.resolve(memory[chunk]?.slice() ?? new Uint8Array()),
    program: () => {
      const played = forms[made++ - 1]
      let timed = 0
      return {
        run: (_, [output]) => {
          const written = new Float32Array(memory[output?.chunk ?? 0]?.buffer ?? new ArrayBuffer())
          for (const [i, value] of (played?.results(right) ?? right).entries()) if (value !== 0) written[i] = value
        },
        profile: () => Promise.resolve([played?.times[timed++] ?? Infinity]),
        release: () => undefined,
      }
    },
  }
}

describe('a measurement', () => {
  it('finds the fastest of the forms that are right', async () => {
    const [rows, columns] = [70, 66]
    const plan = cpuDevice()
      .compile(product)
      .plan(normal(key(1), [rows, 40]), normal(key(2), [40, columns]))
    const device: Target = { ...target, invocations: 256 }
    const exact = (x: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> => x
    const played: readonly Played[] = [
      { results: exact, times: [9, 5, 9] },
      { results: (x) => x.map((v) => -v), times: [1, 1, 1] },
      { results: (x) => x.map((v, i) => (i === 7 ? v + 1 : v)), times: [2, 2, 2] },
      { results: (x) => x.map((v, i) => (i === 9 ? 0 : v)), times: [3, 3, 3] }, // nothing is written for 0
      { results: exact, times: [6, 6, 6] },
      { results: exact, times: [7, 7, 7] },
    ]
    const [subject] = subjectsOf(plan, device, {})
    const forms = subject === undefined ? [] : formsOf(subject.contraction, device)
    expect(forms.length).toBe(played.length)
    const found: Forms = {}
    const note = (shapeClass: string, form: string): void => {
      found[shapeClass] = form
    }
    await learn(plan, device, benchOf(played, rows * columns), { known: {}, note })
    expect(Object.values(found)).toEqual(forms.slice(0, 1).map(nameOfForm))
  })
})

describe('the file of a GPU', () => {
  it('gives back what was saved, and adds to what other programs saved', async () => {
    const home = await mkdtemp(join(tmpdir(), 'fathom-'))
    process.env['XDG_CACHE_HOME'] = home
    const store = fileStore('a GPU')
    expect(await store.load()).toEqual({})
    await store.save({ a: '0' })
    await store.save({ a: '1' }) // measured again
    await fileStore('a GPU').save({ b: '2' })
    expect(await store.load()).toEqual({ a: '1', b: '2' })
    expect(await fileStore('another').load()).toEqual({})
    const [name = ''] = await readdir(join(home, 'fathom', 'webgpu'))
    expect(JSON.parse(await readFile(join(home, 'fathom', 'webgpu', name), 'utf8'))).toEqual({
      gpu: 'a GPU',
      forms: { a: '1', b: '2' },
    })
    await store.forget()
    expect(await store.load()).toEqual({})
    await writeFile(join(home, 'fathom', 'webgpu', name), '{ broken')
    expect(await store.load()).toEqual({})
  })
})
