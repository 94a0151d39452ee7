/** All scores of one set of pictures against real ones. */
import type { Neighbours } from './neighbours.ts'
import { neighboursOf } from './neighbours.ts'
import { kernelDistance, type KernelDistance } from './mmd.ts'
import { manifold, type Manifold } from './manifold.ts'
import { oneNearest, type OneNearest } from './oneNearest.ts'
import { sceneFactors, type FactorDistance } from './sceneFactors.ts'
import { slicedWasserstein, type LevelDistance } from './slicedWasserstein.ts'
import type { HostKey } from '../../prelude/threefry.ts'
import type { SpacePoints } from '../features/whitening.ts'
import type { Labels } from '../permutations.ts'
import type { Pictures } from '../pictures.ts'
import type { Estimate } from '../scenes/factors.ts'

/** The scores of one feature space. */
export interface SpaceScores {
  readonly kernel: KernelDistance
  readonly nearest: OneNearest
  readonly manifold: Manifold
}

/** A set of pictures with all that the scores need of it. */
export interface Seen {
  readonly pictures: Pictures
  /** Points by the name of the space. */
  readonly points: ReadonlyMap<string, SpacePoints>
  readonly estimates: readonly Estimate[]
}

/** The scores of a set. */
export interface SetScores {
  readonly spaces: Readonly<Record<string, SpaceScores>>
  /** The finest level of detail first. */
  readonly levels: readonly LevelDistance[]
  readonly factors: readonly FactorDistance[]
}

const spaceScores = (real: SpacePoints, generated: SpacePoints, permuted: readonly Labels[]): SpaceScores => {
  const neighbours: Neighbours = neighboursOf(real.standard, generated.standard)
  return {
    kernel: kernelDistance(real.white, generated.white, permuted),
    nearest: oneNearest(neighbours, permuted),
    manifold: manifold(neighbours, permuted),
  }
}

/** The scores of `set` against `real`, of equal number. @param permuted assignments of the labels of both, real first */
export const scoreSet = (real: Seen, set: Seen, key: HostKey, permuted: readonly Labels[]): SetScores => ({
  spaces: Object.fromEntries(
    [...real.points].flatMap(([name, points]) => {
      const own = set.points.get(name)
      return own === undefined ? [] : [[name, spaceScores(points, own, permuted)]]
    }),
  ),
  levels: slicedWasserstein(real.pictures, set.pictures, key, permuted),
  factors: sceneFactors(real.estimates, set.estimates, permuted),
})
