/** What a network may be given: images of the sizes that fit, and beside them only what it has a place for. */
import { at, equalNumbers } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { showShape } from '../graph/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { DenoiserInput } from './family.ts'

/** The places that a network has for what is known beside its images and their times. */
interface Places {
  /** Length of a condition; 0 for none. */
  readonly conditions: number
  /** Channels of a token; 0 or absent for a network without cross-attention. */
  readonly tokenWidth?: number
  /** Whether it reads an estimate; absent where no option makes a network of its kind that does. */
  readonly selfCondition?: boolean
}

/** Refuses tokens that a network has no place for, and their absence where it attends to them. */
const requireTokens = (who: string, { x, tokens }: DenoiserInput, width: number): void => {
  if (tokens === undefined) {
    if (width === 0) return
    throw new ShapeError(`${who}: the network attends to tokens, and there are none: give tokens [N, L, ${width}]`)
  }
  if (width === 0)
    throw new ShapeError(
      `${who}: tokens ${showShape(tokens.shape)} are given to a network without cross-attention: leave them out`,
    )
  if (tokens.rank !== 3 || at(tokens.shape, 0) !== at(x.shape, 0) || at(tokens.shape, 2) !== width)
    throw new ShapeError(
      `${who}: the tokens are ${showShape(tokens.shape)}, and must be [${at(x.shape, 0)}, L, ${width}]: a sequence of vectors for each image`,
    )
}

/** Refuses a condition that a network has no place for, or that does not fit it. */
const requireCondition = (who: string, { x, condition }: DenoiserInput, conditions: number): void => {
  if (condition === undefined) return
  const expected = [at(x.shape, 0), conditions]
  if (conditions === 0)
    throw new ShapeError(
      `${who}: a condition ${showShape(condition.shape)} is given to a network without: make it with the option conditions: ${condition.shape.at(-1) ?? 1}`,
    )
  if (!equalNumbers(condition.shape, expected))
    throw new ShapeError(
      `${who}: the condition is ${showShape(condition.shape)}, and must be ${showShape(expected)}: a vector of conditions for each image`,
    )
}

/** Refuses an estimate that a network has no place for, or that is not like x. */
const requireEstimate = (who: string, { x, estimate }: DenoiserInput, selfCondition: boolean | undefined): void => {
  if (estimate === undefined) return
  if (selfCondition !== true)
    throw new ShapeError(
      `${who}: an estimate of the images is given to a network without a place for it: ${selfCondition === undefined ? 'leave it out' : 'make it with the option selfCondition'}`,
    )
  if (!equalNumbers(estimate.shape, x.shape))
    throw new ShapeError(
      `${who}: the estimate is ${showShape(estimate.shape)} for images ${showShape(x.shape)}; it must be like them`,
    )
}

/**
 * Refuses a condition, tokens and an estimate that a network has no place for, those that do not fit it, and the absence of tokens where it attends to them.
 *
 * @param who the network, in errors
 */
export const requireInput = (who: string, input: DenoiserInput, places: Places): void => {
  requireTokens(who, input, places.tokenWidth ?? 0)
  requireCondition(who, input, places.conditions)
  requireEstimate(who, input, places.selfCondition)
}

/** Refuses images that are not of so many channels, and those whose sides a factor does not divide. @param why where the factor is from */
export const requireDivisible = (who: string, x: Tensor, channels: number, factor: number, why: string): void => {
  if (x.rank !== 4 || at(x.shape, 3) !== channels)
    throw new ShapeError(`${who}: takes images [N, H, W, ${channels}], got ${showShape(x.shape)}`)
  const [height, width] = [at(x.shape, 1), at(x.shape, 2)]
  const fit = (n: number): string =>
    n % factor === 0 ? `${n}` : n < factor ? `${factor}` : `${n - (n % factor)} or ${n - (n % factor) + factor}`
  if (height % factor !== 0 || width % factor !== 0)
    throw new ShapeError(
      `${who}: images of ${height}×${width} do not fit: height and width must be divisible by ${factor} (${why}); use height ${fit(height)}, width ${fit(width)}`,
    )
}

/** Refuses images that are not of so many channels, and those that cannot be halved so often. */
export const requireSize = (who: string, x: Tensor, channels: number, halvings: number): void =>
  requireDivisible(who, x, channels, 2 ** halvings, `${halvings} halvings`)
