/**
 * checkGrad: a derivative held against finite differences, in f64.
 *
 * The 5-point stencil f′ ≈ (f(x−2h) − 8f(x−h) + 8f(x+h) − f(x+2h)) / 12h has error O(h⁴); with h = 1e-3 and doubles that is about
 * 1e-10 relative, a thousand times stricter than the usual two-point check can be.
 */
import { requireKnown } from '../prelude/options.ts'
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

/** How far a gradient is from finite differences. */
export interface GradientError {
  /** The largest |analytic − numeric| ÷ (absolute + relative · |numeric|): at most 1 when the gradient is right. */
  readonly worst: number
  /** Elements that were compared. */
  readonly checked: number
  /** Names the worst element and both of its derivatives. */
  readonly message: string
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

const shifted = (values: Float64Array, i: number, by: number): Float64Array => {
  const moved = values.slice()
  moved[i] = (values[i] as number) + by
  return moved
}

/** The derivative at 0 of a function of one number. */
const differentiate = async (f: (by: number) => Promise<number>, step: number): Promise<number> => {
  let sum = 0
  for (const [offset, weight] of stencil) sum += (weight * (await f(offset * step))) / step
  return sum
}

const requireDoubles = (all: readonly (readonly [string, Tensor])[]): void => {
  for (const [path, x] of all)
    if (isFloat(x.dtype) && x.dtype !== 'f64')
      throw new DTypeError(`checkGrad: '${path}' is ${x.dtype}; finite differences need f64`)
}

/**
 * {@link gradientError} of one function at many points: it is compiled once.
 *
 * @throws DTypeError, when it is called, for an argument in f32 or f16
 */
export const gradientErrors = <A extends readonly unknown[]>(
  device: Device,
  f: (...args: A) => unknown,
): ((args: A, options?: CheckOptions) => Promise<GradientError>) => {
  const loss = (...xs: A): Tensor => project(f(...xs))
  const value = device.compile(loss)
  const gradient = device.compile((...xs: A) => {
    const traced = vjp(loss, ...xs)
    return traced.pullback(traced.value.mul(0).add(1))
  })
  return async (args, options = {}) => {
    requireKnown('checkGrad', options, ['absolute', 'relative', 'step'])
    const { absolute = 1e-9, relative = 1e-7, step = 1e-3 } = options
    const all = leavesWithPaths(args)
    requireDoubles(all)
    const analytic = leaves(await gradient(...args))
    const inputs = all.map(([, x]) => x)
    let [worst, checked, differing, message] = [0, 0, 0, '']
    for (const [k, [path, x]] of all.entries()) {
      if (x.dtype !== 'f64') continue
      const [point, exact] = [await device.read(x), await device.read(at(analytic, k))]
      for (let i = 0; i < x.size; i++) {
        const lossAt = async (by: number): Promise<number> => {
          const moved = tensor(shifted(point as Float64Array, i, by), { shape: x.shape })
          return (await device.read(await value(...refill(args, inputs.with(k, moved)))))[0] as number
        }
        const [a, n] = [exact[i] as number, await differentiate(lossAt, step)]
        const error = Math.abs(a - n) / (absolute + relative * Math.abs(n))
        checked++
        if (!(error <= 1)) differing++
        if (error <= worst) continue
        worst = Number.isNaN(error) ? Infinity : error
        message = `checkGrad: element ${i} of argument '${path}' ${showShape(x.shape)}: derivative ${a}, finite differences ${n}`
      }
    }
    return { worst, checked, message: differing === 0 ? message : `${message} (${differing} elements differ)` }
  }
}

/**
 * Compares the gradient of `f` at `args` with finite differences, in every element of every f64 leaf.
 *
 * `f` returns any tree of floats; its elements are weighted with fixed numbers and summed. Stay away from kinks.
 *
 * @throws DTypeError for an argument in f32 or f16, whose differences would be noise
 */
export const gradientError = <A extends readonly unknown[]>(
  device: Device,
  f: (...args: A) => unknown,
  args: A,
  options: CheckOptions = {},
): Promise<GradientError> => gradientErrors(device, f)(args, options)

/**
 * Checks the gradient of `f` at `args` with respect to every element of every f64 leaf.
 *
 * `f` returns any tree of floats; its elements are weighted with fixed numbers and summed. Stay away from kinks.
 *
 * @throws Error naming the worst element, when |analytic − numeric| > absolute + relative · |numeric|
 *
 * @example
 * ```ts
 * import { checkGrad, customVjp, tensor, type Tensor } from 'fathom'
 *
 * const x = tensor([1, 2], { dtype: 'f64' })
 * await checkGrad(device, (x: Tensor) => x.square().sum(), [x]) // => undefined
 * const wrong = customVjp((x: Tensor) => x.square(), ([x], g: Tensor): [Tensor] => [x.mul(g)]) // forgets the 2
 * await checkGrad(device, wrong, [x]) // throws Error: checkGrad: element 1 of argument '0' [2]: derivative …, finite differences …
 * ```
 */
export const checkGrad = async <A extends readonly unknown[]>(
  device: Device,
  f: (...args: A) => unknown,
  args: A,
  options: CheckOptions = {},
): Promise<void> => {
  const { worst, message } = await gradientError(device, f, args, options)
  if (!(worst <= 1)) throw new Error(message)
}
