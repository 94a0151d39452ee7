/** What Winograd's transforms are made for, and how points and records lie in memory, as who writes them and who gives them memory know it. */
import type { TransformName } from '../../../compiler/contraction/winograd.ts'
import { pointsAlong, type Outputs } from '../../../compiler/contraction/winogradProducts.ts'
import type { EpilogueStructure } from '../gemm/gemmEpilogue.ts'

/** Channels that are transformed at once. */
export const lanesAtOnce = 8

/** What a function is made for. Points lie [tile, point, channel] in memory. */
export interface Form {
  /** The algorithm, by its outputs along an axis, and which of its transforms. */
  readonly outputs: Outputs
  readonly transform: TransformName
  readonly channels: number
  readonly fma: boolean
}

/** Bytes from one tile's points to the next's: a cache line more than they take, or tiles of usual sizes would share few of a cache's sets. */
export const tileBytes = ({ outputs, channels }: Pick<Form, 'outputs' | 'channels'>): number =>
  4 * pointsAlong(outputs) ** 2 * channels + 64

/** Marks a pixel that is not there. */
export const nothing = -1

/** Words of a record: where each pixel begins, if it is there; then, for the epilogue, those that are, and how many. */
export const scatteredWords = (pixels: number): number => 2 * pixels + 1

/** A transform that makes the output, and what is done to it then. */
export interface ScatteringForm extends Form {
  readonly epilogue: EpilogueStructure | undefined
}
