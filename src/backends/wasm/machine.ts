/**
 * What a machine can do, found out in a few milliseconds at the start: vectors, and fused multiply-add.
 *
 * Whether multiply-add is fused shows in its result: 16777218·3 + 3 is 50331657, and the nearest float 50331656. With two roundings it is
 * 50331660: the product 50331654 becomes 50331656, and that with 3 is nearest to 50331660.
 */
import { E } from '../../prelude/fp.ts'
import type { Choices } from '../backend.ts'
import { apply, drop, f32, get, type Expression, type Local } from './assembler/code.ts'
import { encode } from './assembler/module.ts'
import type { Machine } from './emit/kernelCode.ts'
import type { Flags } from './threads/threads.ts'

/** What was found. */
export interface Capabilities {
  /** Vectors of 128 bits. */
  readonly simd: boolean
  /** x·y + z with one rounding. */
  readonly fma: boolean
}

/** A module whose function `f` of one number computes with vectors. */
const probe = (value: (x: Expression) => Expression): Uint8Array<ArrayBuffer> => {
  const x: Local = { name: 'x', type: 'f32' }
  const lane = apply('f32x4.extract_lane', [value(apply('f32x4.splat', [get(x)]))], 0)
  return encode({
    functions: [{ name: 'f', parameters: [x], result: 'f32', body: [drop(f32(0))], value: lane }],
    memory: { initial: 1, maximum: 1, shared: false },
  })
}

const three = apply('f32x4.splat', [f32(3)])

/** Looks at the machine. */
export const capabilities = (): Capabilities => {
  const madd = probe((x) => apply('f32x4.relaxed_madd', [x, three, three]))
  const fused = (): boolean => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 })
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(madd), { env: { memory } })
    return (exports['f'] as (x: number) => number)(16777218) === 50331656
  }
  return {
    simd: WebAssembly.validate(probe((x) => apply('f32x4.mul', [x, three]))),
    fma: WebAssembly.validate(madd) && fused(),
  }
}

/** @throws Error where WebAssembly has no vectors */
export const requireVectors = ({ simd } = capabilities()): void => {
  if (!simd) throw new Error('wasm: this JavaScript engine has no vectors in WebAssembly (SIMD)')
}

/** @throws RangeError where convolutions cannot be computed as asked */
export const checkWinograd = (winograd: number | boolean | undefined): void => {
  if (winograd !== undefined && winograd !== false && winograd !== 2 && winograd !== 4)
    throw new RangeError(`wasm: winograd must be 2, 4 or false, got ${String(winograd)}`)
}

/** The best that this machine can be used for. A processor that joins vectors of 128 bits (AVX2) multiplies and adds in one. */
export const choose = ({ fma }: Capabilities, { wide }: Flags, winograd: false | 2 | 4 = 4): Machine => ({
  fma,
  wide: wide && fma,
  ...(winograd === false ? {} : { winograd }),
})

const tiles: ReadonlySet<unknown> = new Set([undefined, 2, 4])

const isMachine = (x: Partial<Record<keyof Machine, unknown>>): x is Machine =>
  typeof x.fma === 'boolean' && typeof x.wide === 'boolean' && tiles.has(x.winograd)

/** The choices of an earlier run, or what is wrong with them. */
export const machineOf = (choices: Choices): E.Either<string, Machine> => {
  const { fma, wide, winograd, ...others } = choices
  const found = { fma, wide, ...(winograd === undefined ? {} : { winograd }) }
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) return E.left(`it knows no choice '${unknown}': another version of fathom has made it`)
  return isMachine(found)
    ? E.right(found)
    : E.left(
        `its choices are fma and wide, true or false, and winograd, 2 or 4 or absent, and it was given ${JSON.stringify(choices)}`,
      )
}

/** Why choices that another machine made cannot be made here, in words; undefined when they can. */
export const whyNot = (wanted: Machine, { fma }: Capabilities): string | undefined =>
  wanted.fma && !fma
    ? 'it was asked to compute with fused multiply-add, which gives other bits than a product and a sum, and this machine or JavaScript engine has none (Node 20 needs the option v8Flags)'
    : undefined
