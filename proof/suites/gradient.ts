/** First and second derivatives against finite differences, element by element, in f64. */
import { gradientError, type CheckOptions } from '../../src/autograd/check.ts'
import { vjp } from '../../src/autograd/grad.ts'
import { constant } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import type { Case, Entry } from '../registry/entry.ts'
import {
  checkCases,
  dataOf,
  differentiable,
  inInputs,
  onDevice,
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

const against =
  (name: string, of: (entry: Entry, c: Case) => (...xs: readonly Tensor[]) => unknown, options: CheckOptions): Suite =>
  async (subject, entry, { on = usual, ...amount }) =>
    onDevice(on, async (device) =>
      checkCases(name, subject, smoothCases(entry), amount, async (c): Promise<Held> => {
        const step = entry.step === undefined ? {} : { step: entry.step }
        const { worst, message } = await gradientError(device, of(entry, c), dataOf(c), { ...options, ...step })
        if (!(worst <= 1)) throw new Error(message)
        return { checks: 1, worst }
      }),
    )

/** The gradient in every element of every differentiable input. One check a case. */
export const gradient: Suite = against('gradient', (_, c) => c.build, {})

/** The gradient of the gradient of a quadratic of the result. One check a case. */
export const secondOrder: Suite = against('gradient of the gradient', gradientOf, { absolute: 1e-8 })
