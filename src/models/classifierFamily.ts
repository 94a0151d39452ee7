/** A family of networks that say what a picture shows: what a trainer and a configuration need to know of it, in one record. */
import type { Module } from '../nn/module.ts'
import type { Decoder } from '../prelude/decode.ts'

/** What the network is for. */
export interface ClassifierPurpose {
  /** Height and width of the pictures. */
  readonly size: readonly [height: number, width: number]
  /** Channels of the pictures. */
  readonly channels: number
  readonly classes: number
}

/** A family of networks over its settings `C`, with parameters `P`, from pictures [N, H, W, channels] to logits [N, classes]. */
export interface ClassifierFamily<C, P> {
  /** What `kind` of a configuration says. */
  readonly name: string
  /** What a person calls its networks. */
  readonly title: string
  readonly defaults: C
  /** Left with words about the first setting that is wrong. */
  readonly decode: Decoder<C>
  /** @throws RangeError for pictures that it cannot take */
  readonly build: (config: C, purpose: ClassifierPurpose) => Module<P>
}
