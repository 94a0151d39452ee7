/** What formulas of λ are written in, so that each is written once: over numbers, for levels, and over tensors, for training. */
import { range } from '../../prelude/array.ts'
import { gather } from '../../tensor/combine.ts'
import { constant } from '../../tensor/create.ts'
import { normalQuantile } from '../../tensor/random/as241.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** Operations on numbers, or on tensors element by element. */
export interface Arithmetic<X> {
  readonly add: (x: X, y: number) => X
  readonly mul: (x: X, y: number) => X
  readonly times: (x: X, y: X) => X
  readonly log: (x: X) => X
  readonly plus: (x: X, y: X) => X
  readonly sine: (x: X) => X
  /** e^x − 1, exact where x is small. */
  readonly exponentialMinusOne: (x: X) => X
  /** The value at a place of a list, between two of them on a straight line; beyond its ends, that of the end. */
  readonly along: (list: readonly number[], place: X) => X
  /** Φ⁻¹(x), x in [0, 1], between tabled values on a straight line. */
  readonly normalQuantile: (x: X) => X
}

const parts = 4096

/** Φ⁻¹ in the middle of each of so many parts. */
const quantiles: readonly number[] = range(parts).map((i) => normalQuantile((i + 0.5) / parts))

/** Numbers, in f64. */
export const arithmeticOfNumbers: Arithmetic<number> = {
  add: (x, y) => x + y,
  mul: (x, y) => x * y,
  times: (x, y) => x * y,
  log: Math.log,
  plus: (x, y) => x + y,
  sine: Math.sin,
  exponentialMinusOne: Math.expm1,
  along: (list, place) => {
    const within = Math.min(Math.max(place, 0), list.length - 1)
    const below = Math.min(Math.floor(within), list.length - 2)
    const [low, high] = [list[below] ?? NaN, list[below + 1] ?? NaN]
    return low + (high - low) * (within - below)
  },
  normalQuantile: (x) => arithmeticOfNumbers.along(quantiles, x * parts - 0.5),
}

/** Tensors, in their own dtype. */
export const arithmeticOfTensors: Arithmetic<Tensor> = {
  add: (x, y) => x.add(y),
  mul: (x, y) => x.mul(y),
  times: (x, y) => x.mul(y),
  log: (x) => x.log(),
  plus: (x, y) => x.add(y),
  sine: (x) => x.sin(),
  // the series where e^x − 1 would cancel; its error is x³/24
  exponentialMinusOne: (x) => {
    const series = x.mul(x.mul(x.mul(1 / 6).add(0.5)).add(1))
    return x.abs().less(1e-2).select(series, x.exp().sub(1))
  },
  along: (list, place) => {
    const within = place.maximum(0).minimum(list.length - 1)
    const below = within.floor().minimum(list.length - 2)
    const table = constant([...list], { dtype: place.dtype })
    const index = below.cast('i32')
    const [low, high] = [gather(table, index), gather(table, index.add(1))]
    return low.add(high.sub(low).mul(within.sub(below)))
  },
  normalQuantile: (x) => arithmeticOfTensors.along(quantiles, x.mul(parts).sub(0.5)),
}
