/** Pictures of one number, N(0.3, 0.5²): what the best network sees in x, and where the ODE leads. */
import { levelAt, type Levels } from '../../src/diffusion/levels.ts'
import type { Estimator } from '../../src/diffusion/sampler.ts'

const [mean, deviation] = [0.3, 0.5]

/** x̂₀ = μ + a·c²/(a²c² + s²) · (x − a·μ). */
export const normalData =
  (levels: Levels): Estimator =>
  (x, index) => {
    const { signal: a, noise: s } = levelAt(levels, index, x)
    const own = a.square().mul(deviation ** 2)
    const x0 = x
      .sub(a.mul(mean))
      .mul(a.mul(deviation ** 2).div(own.add(s.square())))
      .add(mean)
    return { x0, epsilon: x.sub(x0.mul(a)).div(s) }
  }

/** Along the ODE (x − a·μ) / √(a²c² + s²) stays the same: where it is at the last level, from x at the first. */
export const exactEnd = ({ signal, noise }: Levels, x: number): number => {
  const at = (i: number): readonly [number, number] => [signal.at(i) ?? NaN, noise.at(i) ?? NaN]
  const width = (i: number): number => Math.hypot(at(i)[0] * deviation, at(i)[1])
  return at(-1)[0] * mean + ((x - at(0)[0] * mean) * width(-1)) / width(0)
}
