/** The factors of generated pictures against those of real seas, as records and as a table. */
import { range } from '../../src/prelude/array.ts'
import { seas } from '../../src/data/index.ts'
import { hostKey } from '../../src/prelude/threefry.ts'
import { table } from '../report.ts'
import { compare, drawHalves, type Comparison, type Moments } from './compare.ts'
import { estimate, factorNames, factors, type Estimate, type FactorName } from '../../src/evaluation/scenes/factors.ts'
import type { Picture } from '../../src/evaluation/scenes/picture.ts'

/** A factor of all pictures. */
export interface FactorReport extends Comparison {
  readonly factor: FactorName
  readonly values: { readonly generated: readonly number[]; readonly real: readonly number[] }
}

/** Which seas are the real ones, and how many pairs of their halves measure the noise. */
export interface SceneOptions {
  /** Of the seas and of the halves. */
  readonly seed: number
  /** Seas in the pool that halves are drawn from, at least twice the generated. */
  readonly pool: number
  readonly pairs: number
}

/** Seas from this index on: training draws from 0, and holds out what follows 2⁴⁰. */
const firstSea = 2 ** 41

/** The factors of seas that no run has trained on. */
export const realEstimates = (
  { height, width }: Pick<Picture, 'height' | 'width'>,
  { seed, pool }: SceneOptions,
): readonly Estimate[] => {
  const data = seas({ seed, height, width })
  return range(pool).map((i) => estimate({ height, width, pixels: data.image(firstSea + i) }))
}

/** Compares pictures of one size with real seas, factor by factor. */
export const sceneReport = (
  generated: readonly Estimate[],
  real: readonly Estimate[],
  { seed, pairs }: Pick<SceneOptions, 'seed' | 'pairs'>,
): readonly FactorReport[] => {
  const halves = drawHalves(hostKey(seed), real.length, generated.length, pairs)
  return factorNames.map((factor) => {
    const values = { generated: generated.map((e) => e[factor]), real: real.map((e) => e[factor]) }
    return { factor, ...compare(values.generated, values.real, halves), values }
  })
}

const showMoments = ({ mean, deviation }: Moments): string => `${mean.toFixed(1)} ± ${deviation.toFixed(1)}`

const rowOf = ({ factor, generated, real, distance, noise, ratio, within }: FactorReport): readonly string[] => [
  `${factors[factor].label} (${factors[factor].unit})`,
  showMoments(generated),
  showMoments(real),
  distance.toFixed(2),
  noise.median.toFixed(2),
  noise.most.toFixed(2),
  ratio.toFixed(1),
  within ? 'within the noise' : 'apart',
]

const heading = ['', 'generated', 'real', 'distance', 'noise', '95 %', 'ratio', '']

/** The report as a table. */
export const sceneTable = (reports: readonly FactorReport[]): string => table([heading, ...reports.map(rowOf)])
