/**
 * The error of finite differences against their step, as a chart: 2 and 5 points in doubles, 2 points in single precision. Computed by
 * fathom on cpu, for f(x) = exp(sin 3x) at ten points.
 */
import { grad, scalar, tensor, type Device, type DType, type Tensor } from 'fathom'
import { lineChart } from 'fathom/io'

const f = (x: Tensor): Tensor => x.mul(3).sin().exp()
const points = Array.from({ length: 10 }, (_, i) => -1 + 0.21 * i)

/** Offsets in steps and their weights ÷ h. */
const stencils = {
  two: [
    [-1, -1 / 2],
    [1, 1 / 2],
  ],
  five: [
    [-2, 1 / 12],
    [-1, -8 / 12],
    [1, 8 / 12],
    [2, -1 / 12],
  ],
} as const

type Stencil = (typeof stencils)[keyof typeof stencils]

/** [log₁₀ h, worst relative error of f′ over the points] for steps from 10⁻¹⁰ to 1. */
const errors = async (
  device: Device,
  stencil: Stencil,
  dtype: DType,
): Promise<readonly (readonly [number, number])[]> => {
  const difference = device.compile((x: Tensor, h: Tensor) =>
    stencil
      .map(([offset, weight]) => f(x.add(h.mul(offset))).mul(weight))
      .reduce((sum, term) => sum.add(term))
      .div(h),
  )
  const exact = await device.read(grad((x: Tensor) => f(x).sum())(tensor(Float64Array.from(points))))
  const curve: (readonly [number, number])[] = []
  for (let k = -40; k <= 0; k++) {
    const h = 10 ** (k / 4)
    const numeric = await device.read(await difference(tensor(points, { dtype }), scalar(h, dtype)))
    const worst = Math.max(...Array.from(exact, (e, i) => Math.abs(((numeric[i] ?? NaN) - e) / e)))
    curve.push([k / 4, Math.max(worst, 1e-16)])
  }
  return curve
}

/** The chart as SVG text. */
export const gradientErrorChart = async (device: Device): Promise<string> =>
  lineChart({
    title: 'Error of a numeric derivative against its step',
    xLabel: 'log₁₀ of the step h',
    yLabel: 'worst relative error',
    logY: true,
    series: [
      { name: '2 points, f64', points: await errors(device, stencils.two, 'f64') },
      { name: '5 points, f64 (checkGrad: h = 10⁻³)', points: await errors(device, stencils.five, 'f64') },
      { name: '2 points, f32', points: await errors(device, stencils.two, 'f32') },
    ],
  })
