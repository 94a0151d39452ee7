/**
 * WGSL's functions of numbers, on SwiftShader: exactly cpu's results where those are exact, and within few ulp elsewhere.
 *
 * References are cpu's own rules in f64, which are right to far below an ulp of f32 (proof/accuracy).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { applyScalar, scalarRules } from '../../../src/backends/cpu/scalar.ts'
import { functionsText, type FunctionName } from '../../../src/backends/webgpu/wgsl/functions.ts'
import { reinterpret, roundTo, type DType } from '../../../src/graph/dtype.ts'
import { decodeHalf, encodeHalf } from '../../../src/graph/half.ts'
import type { ElementwiseOp } from '../../../src/graph/ops.ts'
import { mapWords, openGpu } from '../../support/webgpu.ts'

const opened: { device?: GPUDevice } = {}

beforeAll(async () => {
  opened.device = await openGpu()
})

afterAll(() => opened.device?.destroy())

const map = (uses: readonly FunctionName[], expression: string, xs: Words, ys?: Words): Promise<Uint32Array> =>
  mapWords(opened.device as GPUDevice, { uses, expression }, xs, ys)

type Words = Uint32Array<ArrayBuffer>

const bitsOf = (x: number): number => reinterpret(x, 'f32', 'u32')
const floatOf = (bits: number): number => reinterpret(bits, 'u32', 'f32')
const isNaNBits = (bits: number): boolean => (bits & 0x7fffffff) > 0x7f800000

/** Bits at random, the same in every run (Numerical Recipes' generator, whose upper bits are mixed into the lower). */
const randomBits = (count: number): Words => {
  let state = 1
  return Uint32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state ^ (state >>> 16)) >>> 0
  })
}

const magnitudes = [
  0,
  2 ** -149,
  3 * 2 ** -149,
  1e-40,
  2 ** -126 - 2 ** -149,
  2 ** -126,
  2 ** -125,
  1e-30,
  2 ** -25,
  2 ** -13,
  2 ** -12,
  0.25,
  0.5,
  1 - 2 ** -24,
  1,
  1 + 2 ** -23,
  1.5,
  2,
  2.5,
  3,
  Math.PI,
  7.75,
  255,
  256.5,
  65504,
  65519,
  65520,
  8388607.5,
  8388608,
  16777216,
  2 ** 31 - 128,
  2 ** 31,
  2 ** 32 - 256,
  2 ** 32,
  3 * 2 ** 40,
  1e22,
  2 ** 125,
  2 ** 126,
  2 ** 127,
  3.4028234663852886e38,
  Infinity,
]

/** Floats at the ends of what there is, of both signs, and NaN of both signs, quiet and signalling, as bits. */
const specialFloats = Uint32Array.from([
  ...magnitudes.flatMap((x) => [bitsOf(x), bitsOf(-x)]),
  0x7fc00000,
  0xffc00000,
  0x7f800001,
  0xffffffff,
])

const specialWhole = Uint32Array.from([
  0, 1, 2, 3, 7, 31, 32, 33, 255, 256, 0xffff, 0xffffff, 0x1000000, 0x1000001, 0x1000003, 0x7fffffff, 0x80000000,
  0x80000001, 0xfffffffe, 0xffffffff, 0xffffff7f, 0xffffff80, 0xffffff81, 0x2000002, 0x2000006,
])

const joined = (...parts: readonly Words[]): Words => Uint32Array.from(parts.flatMap((part) => [...part]))

/** Every first with every second of the special numbers, then at random. */
const pairs = (special: Words, random: number): { readonly xs: Words; readonly ys: Words } => {
  const n = special.length
  const some = randomBits(2 * random)
  return {
    xs: joined(
      Uint32Array.from({ length: n * n }, (_, i) => special[Math.floor(i / n)] as number),
      some.slice(0, random),
    ),
    ys: joined(
      Uint32Array.from({ length: n * n }, (_, i) => special[i % n] as number),
      some.slice(random),
    ),
  }
}

const show = (bits: number, dtype: DType): string =>
  `${reinterpret(bits, 'u32', dtype === 'f32' ? 'f32' : dtype === 'i32' ? 'i32' : 'u32')} (0x${bits.toString(16)})`

/** The first words that are not what they should be; every NaN is as good as any. */
const differing = (
  got: Uint32Array,
  expected: (i: number) => number,
  to: DType,
  describeCase: (i: number) => string,
): readonly string[] =>
  [...got.keys()]
    .filter((i) => {
      const [g, w] = [got[i] as number, expected(i) >>> 0]
      return g !== w && !(to === 'f32' && isNaNBits(g) && isNaNBits(w))
    })
    .slice(0, 5)
    .map((i) => `${describeCase(i)}: ${show(got[i] as number, to)} instead of ${show(expected(i) >>> 0, to)}`)

/** An operation whose results are exact. */
interface ExactCase {
  readonly op: ElementwiseOp
  readonly name: FunctionName
  readonly from: 'f32' | 'i32' | 'u32'
  readonly to: DType
  readonly arity: 1 | 2
}

const cases: readonly ExactCase[] = [
  { op: 'neg', name: 'neg_f32', from: 'f32', to: 'f32', arity: 1 },
  { op: 'floor', name: 'floor_f32', from: 'f32', to: 'f32', arity: 1 },
  { op: 'max', name: 'max_f32', from: 'f32', to: 'f32', arity: 2 },
  { op: 'rem', name: 'rem_f32', from: 'f32', to: 'f32', arity: 2 },
  { op: 'less', name: 'less_f32', from: 'f32', to: 'bool', arity: 2 },
  { op: 'equal', name: 'equal_f32', from: 'f32', to: 'bool', arity: 2 },
  { op: 'div', name: 'div_i32', from: 'i32', to: 'i32', arity: 2 },
  { op: 'div', name: 'div_u32', from: 'u32', to: 'u32', arity: 2 },
  { op: 'rem', name: 'rem_i32', from: 'i32', to: 'i32', arity: 2 },
  { op: 'rem', name: 'rem_u32', from: 'u32', to: 'u32', arity: 2 },
  { op: 'cast', name: 'i32_of_f32', from: 'f32', to: 'i32', arity: 1 },
  { op: 'cast', name: 'u32_of_f32', from: 'f32', to: 'u32', arity: 1 },
  { op: 'cast', name: 'f32_of_i32', from: 'i32', to: 'f32', arity: 1 },
  { op: 'cast', name: 'f32_of_u32', from: 'u32', to: 'f32', arity: 1 },
]

const asBits = (x: number, dtype: DType): number => (dtype === 'f32' ? bitsOf(x) : x >>> 0)

describe('WGSL functions of numbers', () => {
  it.each(cases)('$name is $op of cpu, at special numbers and at random', async ({ op, name, from, to, arity }) => {
    const { xs, ys } = pairs(from === 'f32' ? specialFloats : specialWhole, 30_000)
    const value = (bits: number): number => reinterpret(bits, 'u32', from)
    const operands = ['x', 'y'].slice(0, arity).map((v) => `bitcast<${from}>(${v})`)
    const call = `${name}(${operands.join(', ')})`
    const got = await map([name], to === 'bool' ? `u32(${call})` : `bitcast<u32>(${call})`, xs, ys)
    const result = (i: number): number =>
      asBits(applyScalar(op, value(xs[i] as number), value(ys[i] as number), 0, from, to), to)
    const at = (i: number): string => `${name}(${show(xs[i] as number, from)}, ${show(ys[i] as number, from)})`
    expect(differing(got, result, to, at)).toEqual([])
  })

  it('rem_f32 is exact when numbers are near each other, too', async () => {
    const xs = randomBits(20_000)
    const some = randomBits(40_000).slice(20_000)
    const ys = xs.map(
      (x, i) => ((x & 0x7f800000) - ((some[i] as number) & 0x07800000)) | ((some[i] as number) & 0x807fffff),
    )
    const got = await map(['rem_f32'], 'bitcast<u32>(rem_f32(bitcast<f32>(x), bitcast<f32>(y)))', xs, ys)
    const result = (i: number): number => bitsOf(floatOf(xs[i] as number) % floatOf(ys[i] as number))
    expect(differing(got, result, 'f32', (i) => `${floatOf(xs[i] as number)} % ${floatOf(ys[i] as number)}`)).toEqual(
      [],
    )
  })

  it('is_nan is true of NaN of both signs, and of nothing else', async () => {
    const xs = joined(specialFloats, randomBits(20_000))
    const got = await map(['is_nan'], 'u32(is_nan(bitcast<f32>(x)))', xs)
    expect(
      differing(
        got,
        (i) => Number(isNaNBits(xs[i] as number)),
        'u32',
        (i) => show(xs[i] as number, 'f32'),
      ),
    ).toEqual([])
  })

  it.each([
    ['add', '+'],
    ['mul', '*'],
  ] as const)(
    'plain %s needs no function: NaN and ∞ of memory stay, and only subnormals may be 0',
    async (op, sign) => {
      const isSubnormal = (x: number): boolean => x !== 0 && Math.abs(x) < 2 ** -126
      const { xs, ys } = pairs(specialFloats, 20_000)
      const got = await map([], `bitcast<u32>(bitcast<f32>(x) ${sign} bitcast<f32>(y))`, xs, ys)
      const result = (i: number): number => {
        const [x, y] = [floatOf(xs[i] as number), floatOf(ys[i] as number)]
        const exact = applyScalar(op, x, y, 0, 'f32', 'f32')
        return [x, y, exact, scalarRules[op](x, y, 0, 'f32', 'f32')].some(isSubnormal)
          ? (got[i] as number)
          : bitsOf(exact)
      }
      expect(
        differing(got, result, 'f32', (i) => `${floatOf(xs[i] as number)} ${sign} ${floatOf(ys[i] as number)}`),
      ).toEqual([])
    },
  )

  it('kept is its argument, whatever its bits', async () => {
    const xs = joined(specialFloats, randomBits(100_000))
    const got = await map(['kept'], 'bitcast<u32>(kept(bitcast<f32>(x)))', xs)
    expect(
      differing(
        got,
        (i) => xs[i] as number,
        'u32',
        (i) => show(xs[i] as number, 'f32'),
      ),
    ).toEqual([])
  })

  it('the text of functions has each once, after all that it calls', () => {
    const text = functionsText(['erf_f32', 'exp_f32', 'tanh_f32', 'erf_f32'])
    const names = [...text.matchAll(/^fn (\w+)/gm)].map(([, name]) => name)
    expect(names.length).toBe(new Set(names).size)
    expect(names.indexOf('kept')).toBeLessThan(names.indexOf('exp_f32'))
    expect(names.indexOf('exp_f32')).toBeLessThan(names.indexOf('erf_f32'))
    expect(functionsText([])).toBe('')
  })
})

describe('halves in WGSL', () => {
  const all = Uint32Array.from({ length: 65_536 }, (_, i) => i)

  it('half_of_bits is exact for all 65,536', async () => {
    const got = await map(['half_of_bits'], 'bitcast<u32>(half_of_bits(x))', all)
    expect(
      differing(
        got,
        (i) => bitsOf(decodeHalf(i)),
        'f32',
        (i) => `half ${i.toString(16)}`,
      ),
    ).toEqual([])
  })

  it('bits_of_half and round_half are right at every half, halfway between two, beside that, and at random', async () => {
    const finite = [...all].filter((h) => (h & 0x7fff) < 0x7c00)
    const near = finite.flatMap((h) => {
      const next = (h & 0x7fff) === 0x7bff ? (h >> 15 === 0 ? 65536 : -65536) : decodeHalf(h + 1)
      const middle = bitsOf((decodeHalf(h) + next) / 2)
      return [bitsOf(decodeHalf(h)), middle, middle - 1, middle + 1]
    })
    const xs = joined(Uint32Array.from(near), specialFloats, randomBits(30_000))
    const bits = await map(['bits_of_half'], 'bits_of_half(bitcast<f32>(x))', xs)
    const half = (i: number): number => encodeHalf(floatOf(xs[i] as number))
    const at = (i: number): string => show(xs[i] as number, 'f32')
    expect(differing(bits, half, 'u32', at)).toEqual([])
    const rounded = await map(['round_half'], 'bitcast<u32>(round_half(bitcast<f32>(x)))', xs)
    expect(differing(rounded, (i) => bitsOf(roundTo.f16(floatOf(xs[i] as number))), 'f32', at)).toEqual([])
  })
})

/** |got − exact| in units of the exact number's last place; ∞ counts as 2¹²⁸. A sign of 0, a NaN or an ∞ that is wrong is an endless error. */
const ulps = (got: number, exact: number): number => {
  if (Number.isNaN(exact) || Number.isNaN(got)) return Object.is(got, exact) ? 0 : Infinity
  if (exact === 0 && !Object.is(got, exact)) return Infinity
  const finite = (x: number): number => Math.max(-(2 ** 128), Math.min(2 ** 128, x))
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(finite(exact)))))
  return Math.abs(finite(got) - finite(exact)) / 2 ** (Math.min(exponent, 127) - 23)
}

const between = (low: number, high: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => Math.fround(low + ((high - low) * i) / (count - 1)))

const floats = (values: readonly number[]): Words => new Uint32Array(Float32Array.from(values).buffer)

/** The f32 next to multiples of π/2, where sin or cos is smallest, and the one that is nearest of all (Muller, Elementary Functions, 2016, 11.3). */
const nearQuarters = [
  16367173 * 2 ** 72,
  ...Array.from({ length: 20_000 }, (_, k) => Math.fround((k * Math.PI * 37) / 2)),
]

/**
 * A function, its largest error in ulp, and where it is interesting. The bounds are SwiftShader's, whose quotients and roots are the nearest; where
 * those may be off by 2.5 ulp, as WGSL allows, they are 4.
 */
const functions: readonly (readonly [op: ElementwiseOp, bound: number, dense: readonly (readonly number[])[]])[] = [
  ['exp', 1, [between(-105, 90, 60_000), between(-1, 1, 20_000), between(-104, -86, 20_000)]],
  [
    'log',
    0.9,
    [between(0.5, 2, 60_000), between(0.999, 1.001, 20_000), between(0, 1e-37, 20_000), between(0, 1000, 20_000)],
  ],
  ['sqrt', 0.5, [between(0, 4, 40_000), between(0, 1e-37, 20_000)]],
  ['tanh', 1.5, [between(-10, 10, 60_000), between(-0.7, 0.7, 20_000)]],
  ['logistic', 2.5, [between(-105, 20, 60_000), between(-2, 2, 20_000)]],
  ['erf', 1.25, [between(-5, 5, 60_000), between(-1, 1, 20_000), between(-1e-36, 1e-36, 20_000)]],
  ['sin', 1.75, [between(-10, 10, 60_000), between(-1e6, 1e6, 60_000), nearQuarters, between(1e6, 1e10, 20_000)]],
  ['cos', 1.75, [between(-10, 10, 60_000), between(-1e6, 1e6, 60_000), nearQuarters, between(1e6, 1e10, 20_000)]],
]

describe('WGSL functions that are not exact', () => {
  it.each(functions)('%s_f32 is within %d ulp of the exact number', async (op, bound, dense) => {
    const xs = joined(specialFloats, randomBits(100_000), ...dense.map(floats))
    const name = `${op}_f32` as FunctionName
    const got = await map([name], `bitcast<u32>(${name}(bitcast<f32>(x)))`, xs)
    const errors = [...got].map((bits, i) =>
      ulps(floatOf(bits), scalarRules[op](floatOf(xs[i] as number), 0, 0, 'f32', 'f32')),
    )
    const worst = errors.reduce((best, e, i) => (e > (errors[best] as number) ? i : best), 0)
    const x = floatOf(xs[worst] as number)
    expect(errors[worst], `${name}(${x}) = ${floatOf(got[worst] as number)}`).toBeLessThanOrEqual(bound)
  })

  it('div_f32 is within ¾ ulp of the exact quotient', async () => {
    const { xs, ys } = pairs(specialFloats, 200_000)
    const got = await map(['div_f32'], 'bitcast<u32>(div_f32(bitcast<f32>(x), bitcast<f32>(y)))', xs, ys)
    const errors = [...got].map((bits, i) => ulps(floatOf(bits), floatOf(xs[i] as number) / floatOf(ys[i] as number)))
    const worst = errors.reduce((best, e, i) => (e > (errors[best] as number) ? i : best), 0)
    expect(errors[worst], `${floatOf(xs[worst] as number)} / ${floatOf(ys[worst] as number)}`).toBeLessThanOrEqual(0.75)
  })
})
