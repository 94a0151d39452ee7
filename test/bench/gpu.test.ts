import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import {
  compiled,
  faultsOf,
  manifestOf,
  packagesFor,
  placeOfCompiled,
  plainFiles,
  textOfCompiled,
} from '../../bench/gpu/bundle/contents.ts'
import { full } from '../../bench/gpu/cases.ts'
import { requireGpu } from '../../bench/gpu/gpuDevice.ts'
import { measure, type Work } from '../../bench/gpu/measure.ts'
import { lucidrainsNetwork, publishedNetwork } from '../../bench/gpu/networks.ts'
import { onMac, withTorch } from '../../bench/gpu/plan.ts'
import { comparedLosses, report } from '../../bench/gpu/report.ts'
import { faultOfRow, rowOfLine, type Row, type StepRow, type TimeRow } from '../../bench/gpu/rows.ts'
import { stages } from '../../bench/gpu/stages.ts'
import { differences, type Evaluated } from '../../bench/gpu/training.ts'
import { countElements } from '../../src/tensor/tree.ts'
import { cpuDevice } from '../support/device.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

const filesIn = (folder: string): readonly string[] =>
  readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' }).map((path) => path.replaceAll('\\', '/'))

/** All paths of a bundle, as they follow from what the repository holds. */
const bundled = (): readonly string[] => [
  ...compiled.flatMap((folder) =>
    filesIn(folder).flatMap((path) => {
      const place = path.endsWith('.ts') ? placeOfCompiled(`${folder}/${path.replace(/ts$/, 'js')}`) : undefined
      return place === undefined ? [] : [place]
    }),
  ),
  ...packagesFor('linux-x64').flatMap(({ name, needs }) =>
    filesIn(`node_modules/${name}`).flatMap((path) => (needs(path) ? [`node_modules/${name}/${path}`] : [])),
  ),
  ...plainFiles.map(([, to]) => to),
]

describe('the bundle for a machine with a GPU', () => {
  it('holds paths inside of it that run, and no maps, types or sources', () => {
    const paths = bundled()
    expect(faultsOf(paths)).toEqual([])
    for (const path of [
      'run.sh',
      'bench/gpu/main.js',
      'bench/gpu/stage.js',
      'dist/index.js',
      'dist/backends/webgpu/gpu.node.js',
      'dist/backends/wasm/threads/worker.node.js',
      'node_modules/fp-ts/lib/Either.js',
      'bench/gpu/torch/unets.py',
    ])
      expect(paths).toContain(path)
    expect(new Set(paths).size).toBe(paths.length)
  })

  it("holds Dawn's binary for one platform alone", () => {
    const binaries = bundled().filter((path) => path.endsWith('.node'))
    expect(binaries).toEqual(['node_modules/webgpu/dist/linux-x64/dawn.node'])
  })

  it('names files that are there', () => {
    for (const [from] of plainFiles) expect(existsSync(`${root}${from}`), from).toBe(true)
    for (const { command, side } of [...withTorch, ...onMac])
      if (side !== 'fathom') expect(plainFiles.map(([, to]) => to)).toContain(`bench/gpu/${command[0] ?? ''}`)
  })

  it('imports the built package where the repository imports the source', () => {
    const text =
      "import { a } from '../../src/index.js'\nconst b = await import('../src/b.js')\nimport '../proof/src/c.js'"
    expect(textOfCompiled('bench/gpu/x.js', text)).toBe(
      "import { a } from '../../dist/index.js'\nconst b = await import('../dist/b.js')\nimport '../proof/src/c.js'",
    )
    expect(textOfCompiled('src/x.js', text)).toBe(text)
  })

  it('says what is wrong with a list of paths', () => {
    expect(faultsOf(['/tmp/x.js', '../x.js', 'a/x.js.map', 'src/x.ts', 'test/x.js', 'good/x.js'])).toHaveLength(5)
  })

  it('is a package of modules, with what the package exports and nothing to install', () => {
    const given = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as Record<string, unknown>
    const manifest = JSON.parse(manifestOf(given)) as Record<string, unknown>
    expect(manifest).toMatchObject({ name: 'fathom', type: 'module' })
    expect(manifest).not.toHaveProperty('scripts')
    expect(manifest).not.toHaveProperty('devDependencies')
  })

  it('has a stage once, and nothing after what may be left out for lack of time but such', () => {
    for (const stages of [withTorch, onMac]) {
      const names = stages.map(({ name }) => name)
      expect(new Set(names).size).toBe(names.length)
      const first = stages.findIndex(({ optional }) => optional === true)
      expect(stages.slice(first).every(({ optional }) => optional === true)).toBe(true)
    }
  })
})

describe('what is run on a GPU', () => {
  it('has the parameters of the networks whose times were published', () => {
    expect(countElements(publishedNetwork(full.published).init())).toBe(5_294_080)
    expect(countElements(lucidrainsNetwork(full.lucidrains).init())).toBe(35_711_491)
  })

  it('is a stage that there is', () => {
    for (const { side, command } of [...withTorch, ...onMac])
      if (side === 'fathom') expect(Object.keys(stages)).toContain(command[0])
  })

  it('is refused on every other device', () => {
    expect(() => {
      requireGpu(cpuDevice())
    }).toThrow("this is the device 'cpu'")
  })

  it('is held to another device by the gradient that differs most, and none that is not finite agrees', () => {
    const evaluated = (loss: number, w: readonly number[], b: readonly number[]): Evaluated => ({
      loss,
      gradients: new Map([
        ['w', Float32Array.from(w)],
        ['b', Float32Array.from(b)],
      ]),
    })
    const expected = evaluated(2, [3, 4], [0.0001])
    expect(differences(expected, expected)).toEqual({ loss: 0, gradient: 0, worst: '' })
    expect(differences(evaluated(2.02, [3, 5], [0.0001]), expected)).toMatchObject({ gradient: 0.2, worst: 'w' })
    expect(differences(evaluated(2.02, [3, 4], [0.0001]), expected).loss).toBeCloseTo(0.01)
    expect(differences(evaluated(2, [3, 4], [0.0002]), expected).gradient).toBeCloseTo(0.02) // of a thousandth of all
    expect(differences(evaluated(2, [3, NaN], [0.0001]), expected)).toMatchObject({ gradient: Infinity, worst: 'w' })
    expect(differences({ loss: 2, gradients: new Map() }, expected).gradient).toBe(Infinity)
  })
})

/** A device whose work takes seconds of a clock that is moved by hand: handing over takes `host`, and waiting takes what is left. */
const fakeDevice = (host: number, each: number): { readonly work: Work; readonly now: () => number } => {
  let [time, busyUntil] = [0, 0]
  return {
    now: () => time,
    work: {
      run: () => {
        time += host
        busyUntil = Math.max(busyUntil, time) + each
        return Promise.resolve()
      },
      settle: () => {
        time = Math.max(time, busyUntil)
        return Promise.resolve()
      },
    },
  }
}

describe('measuring a device that goes on by itself', () => {
  it('gives the time of a run on the device, and that of handing it over', async () => {
    const { work, now } = fakeDevice(0.001, 0.01)
    const { ms, hostMs, spread, runs } = await measure(work, { seconds: 1, rounds: 5 }, now)
    expect(ms).toBeCloseTo(10, 0)
    expect(hostMs).toBeCloseTo(1, 6)
    expect(spread).toBeCloseTo(0, 6)
    expect(runs).toBe(5 * 19) // rounds of 0.2 s, by a first run of 11 ms
  })

  it('measures once a round what takes longer than a round', async () => {
    const { work, now } = fakeDevice(0.001, 3)
    expect(await measure(work, { seconds: 1, rounds: 2 }, now)).toMatchObject({ runs: 2 })
  })
})

const time: TimeRow = {
  kind: 'time',
  side: 'fathom',
  name: 'gemm 1024³',
  precision: 'f32',
  mode: 'tuned',
  ms: 1,
  spread: 0.01,
  runs: 10,
}

const step: StepRow = { ...time, kind: 'step', batch: 2, parameters: 7, firstSeconds: 3, losses: [1, 0.9], name: 'net' }

const rows: readonly Row[] = [
  { kind: 'fact', side: 'fathom', name: 'adapter', value: ['a GPU'] },
  { kind: 'check', side: 'fathom', name: 'kernels', ok: false, error: 1, tolerance: 0.1, detail: 'softmax' },
  time,
  step,
  { kind: 'end', stage: 'kernels', ok: false, seconds: 1, why: 'a check failed' },
]

describe('rows', () => {
  it('of every kind go through a line and come back', () => {
    for (const row of rows) expect(rowOfLine(JSON.stringify(row))).toEqual(row)
  })

  it('are not what libraries print between them', () => {
    expect(rowOfLine('Warning: slow')).toBeUndefined()
    expect(rowOfLine('{"other": 1}')).toBeUndefined()
  })

  it('lack no field, and no number is infinite or missing', () => {
    const { ms: _, ...without } = time
    expect(faultOfRow(without)).toBe('its ms is undefined, not a number')
    expect(faultOfRow({ ...time, kind: 'timing' })).toContain('none of fact, check, time, step, end')
    expect(faultOfRow({ ...time, gflops: Infinity })).toBe('its gflops is Infinity')
    expect(() => rowOfLine(JSON.stringify({ ...time, ms: NaN }))).toThrow('its ms is null, not a number')
  })

  it('become a text that begins with what failed', () => {
    const text = report(rows)
    expect(text).toContain('FAILED kernels (1.0 s): a check failed')
    expect(text).toContain('Checks: 0 of 1 hold')
    expect(text).toContain('FAILED kernels: 1.0e+0 of at most 1.0e-1 (softmax)')
    expect(text).toMatch(/gemm 1024³ +fathom +f32 +tuned +1\.00 ms/)
  })

  it('of one step on two sides are compared by their losses and parameters', () => {
    const theirs: StepRow = { ...step, side: 'torch', mode: 'eager', losses: [1.0001, 0.9] }
    expect(comparedLosses([step, theirs])).toMatchObject([{ ok: true, side: 'torch' }])
    expect(comparedLosses([step, { ...theirs, losses: [1.1, 0.9] }])).toMatchObject([{ ok: false }])
    expect(comparedLosses([step, { ...theirs, parameters: 8 }])).toMatchObject([{ ok: false }])
    expect(comparedLosses([step, { ...theirs, batch: 4 }])).toEqual([]) // other images: nothing to compare
  })
})
