/** First and second derivatives against finite differences, element by element, in f64. */
import { gradientErrors, type CheckOptions } from '../../src/autograd/check.ts'
import { vjp } from '../../src/autograd/grad.ts'
import { constant } from '../../src/tensor/create.ts'
import type { Device } from '../../src/tensor/device.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import type { Case, Entry } from '../registry/entry.ts'
import {
  checkCases,
  dataOf,
  differentiable,
  inInputs,
  onDevice,
  perBuild,
  quadratic,
  smoothCases,
  usual,
  type Held,
  type Suite,
} from './suite.ts'

/** The gradient of {@link quadratic} in the case's differentiable inputs, as a function whose own gradient can be checked. */
const gradientOf =
  (entry: Entry, c: Case) =>
  (...xs: readonly Tensor[]): readonly Tensor[] => {
    const at = differentiable(entry, c)
    const { pullback } = vjp(quadratic(inInputs(c.build, xs, at)), ...at.flatMap((i) => xs[i] ?? []))
    return pullback(constant(1, { dtype: 'f64' }))
  }

/**
 * The error at the entry's step; where that is too large, at a quarter of it. Near a pole (a norm that is almost 0) the stencil's own error
 * is large, and falls with the fourth power of the step; a wrong derivative stays wrong at every step.
 */
const differenceErrorOf = async (
  errorAt: ReturnType<typeof gradientErrors<readonly Tensor[]>>,
  c: Case,
  { step = 1e-3 }: Pick<Entry, 'step'>,
  tolerance: CheckOptions,
): Promise<number> => {
  const first = await errorAt(dataOf(c), { ...tolerance, step })
  if (first.worst <= 1) return first.worst
  const { worst, message } = await errorAt(dataOf(c), { ...tolerance, step: step / 4 })
  if (!(worst <= 1)) throw new Error(message)
  return worst
}

/** {@link differenceErrorOf} one case. */
export const differenceError = (
  device: Device,
  f: (...xs: readonly Tensor[]) => unknown,
  c: Case,
  entry: Pick<Entry, 'step'>,
  tolerance: CheckOptions = {},
): Promise<number> => differenceErrorOf(gradientErrors(device, f), c, entry, tolerance)

const against =
  (name: string, of: (entry: Entry, c: Case) => (...xs: readonly Tensor[]) => unknown, options: CheckOptions): Suite =>
  async (subject, entry, { on = usual, ...amount }) =>
    onDevice(on, async (device) => {
      const errors = perBuild((c) => gradientErrors(device, of(entry, c)))
      return checkCases(name, subject, smoothCases(entry), amount, async (c): Promise<Held> => {
        return { checks: 1, worst: await differenceErrorOf(errors(c), c, entry, options) }
      })
    })

/** The gradient in every element of every differentiable input. One check a case. */
export const gradient: Suite = against('gradient', (_, c) => c.build, {})

/** The gradient of the gradient of a quadratic of the result. One check a case. */
export const secondOrder: Suite = against('gradient of the gradient', gradientOf, { absolute: 1e-8 })
