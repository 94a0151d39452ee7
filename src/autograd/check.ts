/**
 * checkGrad: a derivative held against finite differences, in f64.
 *
 * The 5-point stencil f′ ≈ (f(x−2h) − 8f(x−h) + 8f(x+h) − f(x+2h)) / 12h has error O(h⁴); with h = 1e-3 and doubles that is about
 * 1e-10 relative, a thousand times stricter than the usual two-point check can be.
 */
import { at, range } from '../prelude/array.ts'
import { DTypeError } from '../prelude/errors.ts'
import { isFloat } from '../graph/dtype.ts'
import { showShape } from '../graph/shape.ts'
import { threefry2x32 } from '../prelude/threefry.ts'
import { constant, tensor } from '../tensor/create.ts'
import type { Device } from '../tensor/device.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { leaves, leavesWithPaths, refill } from '../tensor/tree.ts'
import { vjp } from './grad.ts'

/** Tolerances of {@link checkGrad} and the step of its stencil. */
export interface CheckOptions {
  readonly absolute?: number
  readonly relative?: number
  readonly step?: number
}

const stencil = [
  [-2, 1 / 12],
  [-1, -8 / 12],
  [1, 8 / 12],
  [2, -1 / 12],
] as const

/** Fixed numbers in (−1, 1) that project a result onto a scalar, so that every element of it counts with its own weight. */
const weights = (stream: number, size: number): Float64Array =>
  Float64Array.from(range(size), (i) => threefry2x32([17, stream], [i, 0])[0] / 2 ** 31 - 1)

const project = (value: unknown): Tensor => {
  const floats = leaves(value).filter((y) => isFloat(y.dtype))
  const terms = floats.map((y, i) =>
    y
      .cast('f64')
      .mul(constant(weights(i, y.size), { shape: y.shape }))
      .sum(),
  )
  return terms.reduce((a, b) => a.add(b))
}

const shifted = (values: Float64Array, i: number, by: number): Float64Array =>
  values.map((x, j) => (i === j ? x + by : x))

/**
 * Checks the gradient of `f` at `args` with respect to every element of every f64 leaf.
 *
 * `f` returns any tree of floats; its elements are weighted with fixed numbers and summed. Stay away from kinks.
 *
 * @throws Error naming the worst element, when |analytic − numeric| > absolute + relative · |numeric|
 */
export const checkGrad = async <A extends readonly unknown[]>(
  device: Device,
  f: (...args: A) => unknown,
  args: A,
  options: CheckOptions = {},
): Promise<void> => {
  const { absolute = 1e-9, relative = 1e-7, step = 1e-3 } = options
  const all = leavesWithPaths(args)
  const points = await Promise.all(all.map(async ([, x]) => device.read(x)))
  const checked = range(all.length).filter((k) => isFloat(at(all, k)[1].dtype))
  for (const k of checked)
    if (at(all, k)[1].dtype !== 'f64')
      throw new DTypeError(`checkGrad: '${at(all, k)[0]}' is ${at(all, k)[1].dtype}; finite differences need f64`)
  const loss = (...xs: A): Tensor => project(f(...xs))
  const value = device.compile(loss)
  const gradient = device.compile((...xs: A) => {
    const traced = vjp(loss, ...xs)
    return traced.pullback(traced.value.mul(0).add(1))
  })
  const analytic = await Promise.all(leaves(await gradient(...args)).map(async (g) => device.read(g)))
  const failures: { readonly excess: number; readonly message: string }[] = []
  for (const k of checked) {
    const [path, x] = at(all, k)
    const point = at(points, k) as Float64Array
    for (let i = 0; i < x.size; i++) {
      let numeric = 0
      for (const [offset, weight] of stencil) {
        const moved = all.map(([, y], j) =>
          j === k ? tensor(shifted(point, i, offset * step), { shape: x.shape }) : y,
        )
        const at1 = await device.read(await value(...refill(args, moved)))
        numeric += (weight * (at1[0] as number)) / step
      }
      const exact = at(analytic, k)[i] as number
      const excess = Math.abs(exact - numeric) - absolute - relative * Math.abs(numeric)
      if (!(excess <= 0))
        failures.push({
          excess,
          message: `checkGrad: element ${i} of argument '${path}' ${showShape(x.shape)}: derivative ${exact}, finite differences ${numeric}`,
        })
    }
  }
  const [worst] = failures.toSorted((a, b) => b.excess - a.excess)
  if (worst !== undefined) throw new Error(`${worst.message} (${failures.length} elements differ)`)
}
