/** What the machine can do, what is chosen for it, and what happens when an engine computes something else. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { cpuBackend } from '../../../src/backends/cpu/backend.ts'
import type { Backend, Choices } from '../../../src/backends/backend.ts'
import { wasmBackend } from '../../../src/backends/wasm/whole.ts'
import { capabilities, choose, whyNot } from '../../../src/backends/wasm/machine.ts'
import { disagreements } from '../../../src/backends/selfTest.ts'
import { open } from '../../../src/index.ts'
import { E } from '../../../src/prelude/fp.ts'
import { machines } from '../../support/machines.ts'

describe('the machine', () => {
  it('has vectors, and finds the same each time', () => {
    expect(capabilities().simd).toBe(true)
    expect(capabilities()).toEqual(capabilities())
  })

  it('is used for 256-bit vectors where V8 makes them, which is where multiply-add is fused', () => {
    const flags = { wide: true }
    expect(choose({ simd: true, fma: true }, flags, false)).toEqual({ fma: true, wide: true })
    expect(choose({ simd: true, fma: false }, flags, false)).toEqual({ fma: false, wide: false })
    expect(choose({ simd: true, fma: true }, { wide: false }, false)).toEqual({ fma: true, wide: false })
  })

  it('is used with tiles of 4×4 for convolutions, unless told otherwise', () => {
    const found = { simd: true, fma: false }
    expect(choose(found, { wide: false })).toEqual({ fma: false, wide: false, winograd: 4 })
    expect(choose(found, { wide: false }, 2)).toEqual({ fma: false, wide: false, winograd: 2 })
  })

  it('cannot repeat fused multiply-adds that it does not have, and can do without those that it has', () => {
    expect(whyNot({ fma: true, wide: false }, { simd: true, fma: false })).toMatch(/fused multiply-add/)
    expect(whyNot({ fma: false, wide: true }, { simd: true, fma: true })).toBeUndefined()
  })
})

describe('the self-test', () => {
  it.each(machines)('finds nothing where all is well: %o', async (machine) => {
    expect(await disagreements(wasmBackend(machine), cpuBackend(true))).toEqual([])
  })

  it('names what came out otherwise', async () => {
    const backend = cpuBackend(true)
    const faulty: Backend = {
      ...backend,
      read: async (memory) => {
        const bytes = await backend.read(memory)
        if (bytes.length === 4 * 23) bytes.fill(63) // 0.75, for each of 23 rows
        return bytes
      },
    }
    expect(await disagreements(faulty, cpuBackend(true))).toEqual(['sum of rows', 'maximum'])
  })
})

/** What a process prints that runs the script, with a word for the environment. */
const printing =
  (script: string) =>
  (FATHOM_V8_FLAGS: string): Promise<unknown> =>
    promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
      env: { ...process.env, FATHOM_V8_FLAGS },
    })

describe('opening', () => {
  it('without the flags of V8 says what they would give, where there are some, and they are neither forbidden nor set', async () => {
    const printed = printing(`
      import { open } from '${new URL('../../../src/index.ts', import.meta.url).href}'
      for (const options of [{}, { choices: { fma: false, wide: false } }, { v8Flags: true }, {}]) {
        const opened = await open('wasm', { threads: 1, ...options })()
        console.log(opened.right.description.includes('up to twice as fast with { v8Flags: true }'))
      }
    `)
    const helps = process.arch === 'x64' && capabilities().fma
    expect(await printed('1')).toEqual({ stdout: `${helps}\nfalse\nfalse\nfalse\n`, stderr: '' })
    expect(await printed('0')).toEqual({ stdout: 'false\nfalse\nfalse\nfalse\n', stderr: '' })
  }, 60_000)

  it('takes the choices of another run', async () => {
    const choices = { fma: false, wide: true }
    const opened = await open('wasm', { choices, threads: 1 })()
    if (E.isLeft(opened)) throw new Error(opened.left.message)
    expect(opened.right.choices).toEqual(choices)
    await opened.right.close()
  })

  it('refuses choices that it could not have made', async () => {
    const messageOf = async (choices: Choices): Promise<string> => {
      const opened = await open('wasm', { choices, threads: 1 })()
      return E.isLeft(opened) ? opened.left.message : 'opened'
    }
    expect(await messageOf({ fma: false, wide: false, winograd: 8 })).toBe(
      `device 'wasm' could not be opened: wasm: its choices are fma and wide, true or false, and winograd, 2 or 4 or absent, and it was given {"fma":false,"wide":false,"winograd":8}`,
    )
    expect(await messageOf({ fma: 'no', wide: false })).toContain('it was given {"fma":"no","wide":false}')
    expect(await messageOf({})).toContain('it was given {}')
    expect(await messageOf({ fma: false, wide: false, subgroups: 32 })).toContain(
      "wasm: it knows no choice 'subgroups': another version of fathom has made it",
    )
  })

  it.each([
    [undefined, 4],
    [2, 2],
    [false, undefined],
  ] as const)('computes convolutions as it is told: winograd %s', async (winograd, expected) => {
    const opened = await open('wasm', { threads: 1, ...(winograd === undefined ? {} : { winograd }) })()
    if (E.isLeft(opened)) throw new Error(opened.left.message)
    expect(opened.right.choices?.['winograd']).toBe(expected)
    await opened.right.close()
  })

  it('says which tiles there are', async () => {
    expect(await open('wasm', { winograd: 3 as never })()).toMatchObject({
      left: { message: expect.stringMatching(/wasm: winograd must be 2, 4 or false, got 3$/) },
    })
  })

  it('says what is wrong with a number of threads', async () => {
    expect(await open('wasm', { threads: 1.5 })()).toEqual(
      E.left({
        _tag: 'DeviceError',
        message: "device 'wasm' could not be opened: wasm: threads must be a whole number from 1 to 64, got 1.5",
      }),
    )
  })

  it('sets no flag of V8 against the environment, and prints nothing', async () => {
    const script = `
      import { open } from '${new URL('../../../src/index.ts', import.meta.url).href}'
      const opened = await open('wasm', { threads: 1, v8Flags: true })()
      console.log(opened.right.choices.wide)
    `
    const printed = printing(script)
    expect(await printed('0')).toEqual({ stdout: 'false\n', stderr: '' })
    expect(await printed('1')).toEqual({
      stdout: `${String(process.arch === 'x64' && capabilities().fma)}\n`,
      stderr: '',
    })
  }, 60_000)
})
