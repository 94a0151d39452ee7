/** The factors of scenes, one by one: how far the histograms of two sets are apart, and whether chance would put them there. */
import { observedLabels, permutationP, type Labels, type Tested } from '../permutations.ts'
import type { Pictures } from '../pictures.ts'
import { estimate, factorNames, type Estimate, type FactorName } from '../scenes/factors.ts'
import { wasserstein1 } from '../scenes/wasserstein.ts'
import { mean } from '../statistics.ts'

/** The distance W₁ of one factor, in its own unit. */
export interface FactorDistance extends Tested {
  readonly factor: FactorName
  /** The mean of the generated less that of the real pictures, in the factor's unit. */
  readonly shift: number
}

/** Pictures of fewer rows have no horizon to speak of. */
const leastRows = 8

/** The factors of each picture; none for pictures too small to have a scene. */
export const estimatesOf = ({ height, width, pictures }: Pictures): readonly Estimate[] =>
  height < leastRows ? [] : pictures.map((pixels) => estimate({ height, width, pixels }))

/** The distances of all factors. @param permuted assignments of labels, from which p is taken */
export const sceneFactors = (
  real: readonly Estimate[],
  generated: readonly Estimate[],
  permuted: readonly Labels[],
): readonly FactorDistance[] =>
  real.length === 0
    ? []
    : factorNames.map((factor) => {
        const all = [...real, ...generated].map((e) => e[factor])
        const distance = (labels: Labels): number =>
          wasserstein1(
            all.filter((_, i) => labels[i] === 1),
            all.filter((_, i) => labels[i] === 0),
          )
        const value = distance(observedLabels([real.length, generated.length]))
        const shift = mean(generated.map((e) => e[factor])) - mean(real.map((e) => e[factor]))
        return { factor, value, shift, p: permutationP(value, permuted.map(distance)) }
      })
