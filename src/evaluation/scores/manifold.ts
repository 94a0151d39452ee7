/**
 * Whether generated pictures lie among the real ones, and whether real ones of all kinds are met: precision and recall, density and
 * coverage, over balls that reach from each point to its k-th neighbour of the same sample.
 *
 * Kynkäänniemi, Karras, Laine, Lehtinen and Aila 2019, "Improved Precision and Recall Metric for Assessing Generative Models", eq. 2 and 3;
 * Naeem, Oh, Uh, Choi and Yoo 2020, "Reliable Fidelity and Diversity Metrics for Generative Models", eq. 4 and 5.
 */
import { range } from '../../prelude/array.ts'
import { observedLabels, permutationP, type Labels } from '../permutations.ts'
import { mean } from '../statistics.ts'
import { radii, reached, type Neighbours } from './neighbours.ts'

/** Naeem et al. 2020 take 5. */
const usualNeighbours = 5

/** What balls around points say of two samples. */
export interface Manifold {
  /** The share of generated points inside any ball of a real one: do they look real? */
  readonly precision: number
  /** The share of real points inside any ball of a generated one. */
  readonly recall: number
  /** How many balls of real points a generated one lies in, over k: 1 on average for one distribution, more where generated ones crowd. */
  readonly density: number
  /** The share of real points whose ball holds a generated one: is every kind of real picture met? */
  readonly coverage: number
  /** How often chance makes the coverage as small. */
  readonly p: number
}

/**
 * Precision, recall, density and coverage.
 *
 *     precision = (1/M) Σⱼ 1[yⱼ ∈ ∪ᵢ B(xᵢ, NND_k(xᵢ))]      density  = (1/kM) Σⱼ Σᵢ 1[yⱼ ∈ B(xᵢ, NND_k(xᵢ))]
 *     recall    = (1/N) Σᵢ 1[xᵢ ∈ ∪ⱼ B(yⱼ, NND_k(yⱼ))]      coverage = (1/N) Σᵢ 1[∃ j: yⱼ ∈ B(xᵢ, NND_k(xᵢ))]
 *
 * of N real x and M generated y; NND_k is the distance to the k-th neighbour of the same sample.
 *
 * @param permuted assignments of labels, from which the p of the coverage is taken
 * @throws RangeError for samples of no more than k points
 */
export const manifold = (
  neighbours: Neighbours,
  permuted: readonly Labels[],
  k: number = usualNeighbours,
): Manifold => {
  const { sizes, distances } = neighbours
  const labels = observedLabels(sizes)
  const radius = radii(neighbours, labels, k)
  const [real, generated] = [1, 0].map((label) => range(distances.count).filter((i) => labels[i] === label))
  const inside = (point: number, centre: number): boolean =>
    (distances.values[centre * distances.count + point] ?? 0) < (radius[centre] ?? 0)
  const balls = (points: readonly number[] = [], centres: readonly number[] = []): readonly number[] =>
    points.map((point) => centres.filter((centre) => inside(point, centre)).length)
  const [around, reverse] = [balls(generated, real), balls(real, generated)]
  const share = (counts: readonly number[]): number => mean(counts.map((count) => (count > 0 ? 1 : 0)))
  const coverage = (of: Labels): number => {
    let [met, all] = [0, 0]
    for (let i = 0; i < of.length; i++)
      if (of[i] === 1) {
        all++
        if (reached(neighbours, of, i, k)) met++
      }
    return met / all
  }
  const covered = coverage(labels)
  const p = permutationP(
    -covered,
    permuted.map((of) => -coverage(of)),
  )
  return { precision: share(around), recall: share(reverse), density: mean(around) / k, coverage: covered, p }
}
