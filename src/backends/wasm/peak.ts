/**
 * Code that measures what a processor reaches at best: multiply-adds that wait for nothing, and a copy that computes nothing. Shares of
 * a peak in benches and profiles are shares of these.
 *
 * Twelve accumulators are enough for two units of latency four, and fit into the sixteen registers of x64. V8 joins pairs of 128-bit
 * operations whose results are stored side by side, so the wide form has twelve pairs.
 */
import { range } from '../../prelude/array.ts'
import { add, apply, branch, get, i32, loop, set, store, type Local, type Statement } from './assembler/code.ts'
import { encode, type FunctionDefinition } from './assembler/module.ts'

const chains = 12

/** How the multiply-adds are written. */
export interface PeakForm {
  /** One relaxed multiply-add each, or a product and a sum. */
  readonly fma: boolean
  /** Pairs of vectors, for V8 to join. */
  readonly wide: boolean
}

/** Floating-point operations of a turn of the loop: four lanes, two operations each. */
export const flopsOfTurn = ({ wide }: PeakForm): number => chains * (wide ? 2 : 1) * 4 * 2

const local = (name: string, type: Local['type']): Local => ({ name, type })

/** `turns` times acc = acc·a + b, for all accumulators; they are stored at the end so that the work counts. */
const multiplyAdds = ({ fma, wide }: PeakForm): FunctionDefinition => {
  const [turns, address] = [local('turns', 'i32'), i32(0)]
  const lanes = wide ? 2 : 1
  const a = local('a', 'v128')
  const b = range(lanes).map((i) => local(`b${i}`, 'v128'))
  const sums = range(chains * lanes).map((i) => local(`sum${i}`, 'v128'))
  const next = (sum: Local, i: number): Statement => {
    const term = get(b[i % lanes] ?? a)
    return set(
      sum,
      fma
        ? apply('f32x4.relaxed_madd', [get(sum), get(a), term])
        : apply('f32x4.add', [apply('f32x4.mul', [get(sum), get(a)]), term]),
    )
  }
  return {
    name: 'multiplyAdds',
    parameters: [turns],
    body: [
      set(a, apply('v128.load32_splat', [address], 1024)),
      ...b.map((v, i) => set(v, apply('v128.load', [address], 2048 + 16 * i))),
      ...sums.map((v, i) => set(v, apply('v128.load', [address], 16 * i))),
      loop('turn', [
        ...sums.map(next),
        set(turns, add(get(turns), i32(-1))),
        branch('turn', apply('i32.gt_s', [get(turns), i32(0)])),
      ]),
      ...sums.map((v, i) => store('v128.store', address, get(v), 16 * i)),
    ],
  }
}

/** Copies `bytes` (a multiple of 64) from one address to another. */
const copy: FunctionDefinition = (() => {
  const [from, to, bytes] = [local('from', 'i32'), local('to', 'i32'), local('bytes', 'i32')]
  const values = range(4).map((i) => local(`v${i}`, 'v128'))
  return {
    name: 'copy',
    parameters: [from, to, bytes],
    body: [
      loop('turn', [
        ...values.map((v, i) => set(v, apply('v128.load', [get(from)], 16 * i))),
        ...values.map((v, i) => store('v128.store', get(to), get(v), 16 * i)),
        set(from, add(get(from), i32(64))),
        set(to, add(get(to), i32(64))),
        set(bytes, add(get(bytes), i32(-64))),
        branch('turn', apply('i32.gt_s', [get(bytes), i32(0)])),
      ]),
    ],
  }
})()

/** Pages of memory that the module imports: two stretches of 64 MiB, more than a cache holds, and 64 KiB for the accumulators. */
export const peakPages = 1 + 2 * 1024

/**
 * The module: exports `multiplyAdds(turns)` and `copy(from, to, bytes)`, imports `env.memory` of {@link peakPages}.
 */
export const peakModule = (form: PeakForm): Uint8Array<ArrayBuffer> =>
  encode({ functions: [multiplyAdds(form), copy], memory: { initial: peakPages, maximum: peakPages, shared: false } })
