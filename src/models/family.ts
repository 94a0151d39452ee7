/** A family of networks: what the trainer, the command and files of weights need to know of a model, in one record. */
import type { Module } from '../nn/module.ts'
import type { Decoder } from '../prelude/decode.ts'
import type { Shape } from '../graph/shape.ts'
import type { NameMap } from '../tensor/nameMap.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** What a network that is trained by diffusion takes: noisy images [N, H, W, channels], and the time of each, [N]. */
export interface DenoiserInput {
  readonly x: Tensor
  readonly t: Tensor
  /**
   * What else is known of each image: f32 [N, K], labels as one-hot vectors, and numbers. Zeros say nothing, as does its absence. A network without
   * conditions refuses one.
   */
  readonly condition?: Tensor | undefined
  /**
   * What is thought of each image so far, like x; zeros where nothing is, as is its absence. Only a network with a place for it may be given one
   * (self-conditioning, Chen et al. 2022); others refuse it.
   */
  readonly estimate?: Tensor | undefined
  /** What else is known of each image as a sequence, such as the words of a text: [N, L, D]. A network with cross-attention needs them, others refuse them. */
  readonly tokens?: Tensor | undefined
}

/** A family of networks over its settings `C`, with parameters `P`. */
export interface Family<C, P> {
  /** What `kind` of a configuration says. */
  readonly name: string
  /** What a person calls its networks. */
  readonly title: string
  readonly defaults: C
  /** Left with words about the first setting that is wrong. */
  readonly decode: Decoder<C>
  /** The network, for images of so many channels. */
  readonly build: (config: C, channels: number) => Module<P, DenoiserInput>
  /** The layers by which the same network sees what images show, of the same parameters: [N, h, w, C] each. */
  readonly features: (config: C, channels: number) => Module<P, DenoiserInput, readonly Tensor[]>
  /** What height and width of the images must be divisible by: a power of two. */
  readonly factor: (config: C) => number
  /** Why the factor is what it is, in words of errors, such as `patches of 4×4`; absent where images are halved until they are as small. */
  readonly factorReason?: (config: C) => string
  /** The only height and width of images that the network takes; undefined where its factor alone decides. */
  readonly size: (config: C) => readonly [height: number, width: number] | undefined
  /** Channels at the images' size, by which activations are estimated. */
  readonly width: (config: C) => number
  /** What every step of training does with parameters behind the optimizer: another place in which the network is the same; absent for nothing. */
  readonly project?: (params: P) => P
  /** How many times its networks can be told, from 0 on; ∞ where any. */
  readonly times: (config: C) => number
  /** Whether its networks learn variances, and give 2·channels; absent where none does. */
  readonly learnsVariance?: (config: C) => boolean
  /** Whether its networks are told times as shares of the schedule, t/T, where a run has t; absent where none is. */
  readonly takesShares?: (config: C) => boolean
  /** Whether its networks have a place for an estimate; absent where none has. */
  readonly takesEstimate?: (config: C) => boolean
  /** A number of parameters that the network has at least, without building it. */
  readonly leastWeights: (config: C) => number
  /**
   * The names and axes of other programs' weights, by the program: a map for a template of parameters, and for the shapes that lie in the file, where
   * names changed over the years.
   */
  readonly names: Readonly<Record<string, (template: P, found?: ReadonlyMap<string, Shape>) => NameMap>>
}
