/** Sweeps: one function in one dtype over its arguments, on all devices at once, so that the oracle is asked once. */
import { tensor } from '../../src/tensor/create.ts'
import { argumentsOf, type Density } from './arguments.ts'
import type { Measured } from './devices.ts'
import { exactValue, type ScalarFunction } from './scalars.ts'
import { formats, judge, judgeExactly, unmeasured, type FloatType, type Measure } from './ulp.ts'

/** What was measured of one function in one dtype on one device. */
export interface Reading {
  readonly name: string
  readonly device: string
  readonly dtype: FloatType
  readonly measure: Measure
}

/** Told how many arguments are done. */
export type Progress = (done: number) => void

/** Measures a function on the devices that have the dtype. */
export const sweep = async (
  f: ScalarFunction,
  dtype: FloatType,
  devices: readonly Measured[],
  density: Density,
  progress: Progress = () => undefined,
): Promise<readonly Reading[]> => {
  const present = devices
    .filter((d) => d.dtypes.has(dtype))
    .map(({ name, device }) => ({
      device,
      compiled: device.compile(f.apply),
      reading: { name: f.name, device: name, dtype, measure: unmeasured() },
    }))
  let done = 0
  for (const { stored, values } of argumentsOf(f, dtype, density)) {
    if (stored.length === 0) continue
    const verdict = dtype === 'f64' ? exactJudge(f, values) : doubleJudge(f, dtype, values)
    for (const { device, compiled, reading } of present)
      verdict(reading.measure, await device.read(await compiled(tensor(stored))))
    done += stored.length
    progress(done)
  }
  return present.map(({ reading }) => reading)
}

type Verdict = (measure: Measure, got: ArrayLike<number>) => void

const exactJudge = (f: ScalarFunction, values: ArrayLike<number>): Verdict => {
  const exact = Array.from(values, (x) => exactValue(f, x))
  return (measure, got) => {
    exact.forEach((y, i) => {
      judgeExactly(measure, values[i] as number, got[i] as number, y)
    })
  }
}

const doubleJudge = ({ double }: ScalarFunction, dtype: FloatType, values: ArrayLike<number>): Verdict => {
  const exact = new Float64Array(values.length)
  for (let i = 0; i < exact.length; i++) exact[i] = double(values[i] as number)
  return (measure, got) => {
    judge(measure, formats[dtype], values, got, exact)
  }
}
