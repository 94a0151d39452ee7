/** All feature spaces by name: whoever judges names them. A new space is an entry here. */
import { keysOf } from '../../prelude/record.ts'
import { randomSpace } from './random.ts'
import type { FeatureSpace } from './space.ts'
import { trainedSpace } from './trained.ts'

/**
 * The feature spaces.
 *
 * @example
 * ```ts
 * import { featureSpaces } from 'fathom/evaluation'
 *
 * Object.keys(featureSpaces) // => ['trained', 'random']
 * ```
 */
export const featureSpaces = { trained: trainedSpace, random: randomSpace } as const satisfies {
  readonly [name: string]: FeatureSpace
}

/** The name of a feature space. */
export type FeatureSpaceName = keyof typeof featureSpaces

/**
 * Whether a text names a feature space.
 *
 * @example
 * ```ts
 * import { isFeatureSpaceName } from 'fathom/evaluation'
 *
 * isFeatureSpaceName('trained') // => true
 * isFeatureSpaceName('inception') // => false
 * ```
 */
export const isFeatureSpaceName = (name: string): name is FeatureSpaceName =>
  keysOf(featureSpaces).some((known) => known === name)
