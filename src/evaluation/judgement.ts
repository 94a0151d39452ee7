/** What the judge finds, as a plain record: it is a file's content, and what the report draws. */
import type { CopyFinding } from './copies.ts'
import type { FeatureSpace } from './features/space.ts'
import type { Tested } from './permutations.ts'
import type { Counted } from './scores/fisher.ts'
import type { SetScores } from './scores/scoreSet.ts'

/** How many of the generated pictures, beside how many real ones, and the chance of so many more. */
export interface Share {
  readonly generated: Counted
  readonly usual: Counted
  readonly p: number
}

/** What the model remembers. */
export interface Memory {
  /** Copies of pictures of training; usual is how often real pictures are called so: those held out, and some of training beside other groups. */
  readonly copies: Share
  /** Pictures that repeat an earlier one of their own set, beside as many of training. */
  readonly repeats: Share
  /** The share of generated pictures nearer to training than to as many held out. */
  readonly nearer: Tested
}

/** Of a generated picture the nearest of training. */
export interface Nearest extends CopyFinding {
  /** The place of the nearest in the first feature space. */
  readonly byFeatures: number
}

/** The name of a set that is scored. */
export type SetName = 'generated' | 'real' | 'reconstructed' | 'gaussian' | 'blurred' | 'copied'

/** A test, by what it says. */
export interface Test {
  readonly name: string
  readonly p: number
  /** p, adjusted for the number of tests: an alarm below 0.05. */
  readonly adjusted: number
}

/** What the judge found: a plain record. */
export interface Judgement {
  readonly version: 1
  readonly height: number
  readonly width: number
  /** Pictures of each set that is compared. */
  readonly count: number
  readonly training: number
  readonly heldOut: number
  readonly seed: number
  readonly permutations: number
  readonly spaces: readonly Pick<FeatureSpace, 'name' | 'version' | 'about'>[]
  /** The scores of the generated pictures, and of others beside them. */
  readonly sets: Readonly<Partial<Record<SetName, SetScores>>> & {
    readonly generated: SetScores
    readonly real: SetScores
  }
  readonly memory: Memory
  /** All tests of the generated pictures. */
  readonly tests: readonly Test[]
  /** Of each generated picture the nearest of training, those that are copies first. */
  readonly nearest: readonly (Nearest & { readonly sample: number })[]
}
