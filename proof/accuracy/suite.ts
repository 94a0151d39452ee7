/** The accuracy suite: everything measured and held to the published bounds. */
import type { Tally } from '../tally.ts'
import type { Density } from './arguments.ts'
import { boundOf, normalBound, rowBoundOf } from './bounds.ts'
import { openMeasured, type Measured } from './devices.ts'
import { drawnNormals, sweepNormals, type NormalReading } from './normals.ts'
import { measureRowFunction, rowFunctions, type RowReading } from './rows.ts'
import { scalarFunctions, type ScalarFunction } from './scalars.ts'
import { sweep, type Reading } from './sweep.ts'
import { formats, type FloatType } from './ulp.ts'

/** How much to measure. */
export interface AccuracyOptions {
  /** Every how many-th f32; 1 for all of them. */
  readonly every: number
  /** How many f64 of each function; by default a thousand. */
  readonly doubles?: number
  /** Names of the functions to measure; by default all, the row functions and the random normals too. */
  readonly only?: readonly string[]
  /** Told what was measured, as it happens. */
  readonly report?: (line: string) => void
}

/** Everything that was measured, in the order of the tables. */
export interface Readings {
  readonly scalars: readonly Reading[]
  readonly rows: readonly RowReading[]
  readonly normals: readonly NormalReading[]
}

/** The name under which the random normals are asked for. */
const normalsName = 'normal'

/** Names that can be measured. */
export const names: readonly string[] = [
  ...scalarFunctions.map((f) => f.name),
  ...rowFunctions.map((f) => f.name),
  normalsName,
]

/** All dtypes, in the order of the tables. */
export const dtypes = Object.keys(formats) as readonly FloatType[]

/** Measures one function in all dtypes. */
const measureScalar = async (
  f: ScalarFunction,
  devices: readonly Measured[],
  density: Density,
  report: (line: string) => void,
): Promise<readonly Reading[]> => {
  const all: Reading[] = []
  for (const dtype of dtypes) {
    const began = performance.now()
    const total = dtype === 'f32' ? Math.ceil(2 ** 32 / density.every) : 0
    let shown = 0
    all.push(
      ...(await sweep(f, dtype, devices, density, (done) => {
        if (done - shown < 2 ** 28) return
        shown = done
        report(`${f.name} ${dtype}: ${((100 * done) / total).toFixed(0)} %`)
      })),
    )
    report(`${f.name} ${dtype}: ${((performance.now() - began) / 1000).toFixed(1)} s`)
  }
  return all
}

/** Measures the functions that are asked for. */
export const measureAll = async ({
  every,
  doubles = 1000,
  only = names,
  report = () => undefined,
}: AccuracyOptions): Promise<Readings> => {
  const devices = await openMeasured()
  const scalars: Reading[] = []
  const rows: RowReading[] = []
  for (const f of scalarFunctions)
    if (only.includes(f.name)) scalars.push(...(await measureScalar(f, devices, { every, doubles }, report)))
  for (const f of rowFunctions)
    if (only.includes(f.name)) rows.push(...(await measureRowFunction(f, devices, every > 2 ** 14 ? 128 : 1024)))
  const normals = only.includes(normalsName) ? await measureNormals(devices, every) : []
  await Promise.all(devices.map(async ({ device }) => device.close()))
  return { scalars, rows, normals }
}

const measureNormals = async (devices: readonly Measured[], every: number): Promise<readonly NormalReading[]> => {
  const drawn: NormalReading[] = []
  for (const measured of devices) {
    const { reading, unlikeHost } = await drawnNormals(measured, 2 ** 16)
    if (unlikeHost > 0)
      throw new Error(`accuracy: ${unlikeHost} normals of ${measured.name} differ from those made on the host`)
    drawn.push(reading)
  }
  return [sweepNormals(every), ...drawn]
}

const scalarTally = ({ name, device, dtype, measure }: Reading): Tally => {
  const { ulp, wrongShare = 0 } = boundOf(device, name, dtype)
  const subject = `${name} in ${dtype} on ${device}`
  if (measure.maxUlp > ulp)
    throw new Error(`accuracy: ${subject} is off by ${measure.maxUlp} ulp at ${measure.worstAt}; ${ulp} are published`)
  if (measure.wrong > wrongShare * measure.inputs)
    throw new Error(
      `accuracy: ${subject} has ${measure.wrong} results of the wrong kind among ${measure.inputs}, the first at ${measure.wrongAt}`,
    )
  return { suite: 'accuracy', subject, seed: 0, checks: measure.inputs, worst: measure.maxUlp / ulp }
}

const rowTally = ({ name, inputs, device, measure, rowUlp }: RowReading): readonly Tally[] => {
  const bound = rowBoundOf(device, name, inputs)
  if (bound === undefined) return []
  const subject = `${name} of rows with ${inputs} on ${device}`
  if (!(rowUlp <= bound)) throw new Error(`accuracy: ${subject} is off by ${rowUlp} ulp; ${bound} are published`)
  return [{ suite: 'accuracy', subject, seed: 0, checks: measure.inputs, worst: rowUlp / bound }]
}

const normalTally = ({ source, inputs, maxError, worstAt }: NormalReading): Tally => {
  const subject = `random normals of ${source}`
  if (!(maxError <= normalBound))
    throw new Error(
      `accuracy: ${subject} are off by ${maxError} · 2⁻²¹ at the word ${worstAt}; ${normalBound} are published`,
    )
  return { suite: 'accuracy', subject, seed: 0, checks: inputs, worst: maxError / normalBound }
}

/** Holds what was measured to the bounds. Throws for the first that is exceeded. */
export const tallies = ({ scalars, rows, normals }: Readings): readonly Tally[] => [
  ...scalars.map(scalarTally),
  ...rows.flatMap(rowTally),
  ...normals.map(normalTally),
]

/** Measures all functions on all devices and holds them to the bounds. */
export const accuracySuite = async (options: AccuracyOptions): Promise<readonly Tally[]> =>
  tallies(await measureAll(options))
