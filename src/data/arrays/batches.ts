/**
 * Batches of arrays: what PyTorch calls a data loader. Which examples a batch has is a function of the seed and the number of the step, so that a
 * program goes on at any step without replaying what came before; every batch is of fresh tensors, which nobody writes to again.
 */
import { range } from '../../prelude/array.ts'
import { requireKnown, requireShare, requireWhole } from '../../prelude/options.ts'
import { hostFold, hostKey, hostPermutationIndex } from '../../prelude/threefry.ts'
import { rowsAt, sourcesOf, type Rows } from './rows.ts'

/** What {@link batches} takes. */
export interface BatchOptions {
  /** Examples in a batch. */
  readonly size: number
  /** The seed of an order that is another in each epoch; absent: the order of the arrays. */
  readonly shuffle?: number
  /** How often all examples are gone through; Infinity for ever; default 1. */
  readonly epochs?: number
  /** Whether the last batch of an epoch is left out where it is not full: compiled functions then see one shape. Default false. */
  readonly dropLast?: boolean
  /** The step to begin at, counted over all epochs: where a program goes on. Default 0. */
  readonly from?: number
}

/** Batches one after the other, to be gone through again and again, or asked for by their steps. */
export interface Batches<T> extends Iterable<Rows<T>> {
  /** Examples in all. */
  readonly count: number
  /** Batches in an epoch. */
  readonly perEpoch: number
  /** Batches in all epochs. */
  readonly steps: number
  /** The batch of a step, counted over all epochs from 0. */
  readonly at: (step: number) => Rows<T>
  /** Which examples it has. */
  readonly indicesAt: (step: number) => readonly number[]
}

const who = 'batches'

const requireOptions = (options: BatchOptions): Required<Omit<BatchOptions, 'shuffle'>> => {
  requireKnown(who, options, ['size', 'shuffle', 'epochs', 'dropLast', 'from'])
  const { size, shuffle = 0, epochs = 1, dropLast = false, from = 0 } = options
  requireWhole(who, 'size', size, 1)
  requireWhole(who, 'shuffle', shuffle)
  if (epochs !== Infinity) requireWhole(who, 'epochs', epochs)
  requireWhole(who, 'from', from)
  return { size, epochs, dropLast, from }
}

/**
 * Batches of a tree of arrays whose first axes are the examples.
 *
 * @param arrays typed arrays and tensors of data, in records and lists; they are copied batch by batch, and must not change meanwhile
 * @throws ShapeError where the arrays have different numbers of examples; RangeError where there is not one batch in them
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { batches } from 'fathom/data'
 *
 * const data = { x: tensor([[1], [2], [3], [4], [5]]), y: Int32Array.of(10, 20, 30, 40, 50) }
 * const ordered = batches(data, { size: 2 })
 * ordered.perEpoch // => 3
 * ordered.at(1) // => { x: [[3], [4]], y: [30, 40] }
 * const seen = []
 * for (const { y } of batches(data, { size: 2, shuffle: 0, epochs: 2 })) seen.push(y.shape[0])
 * seen // => [2, 2, 1, 2, 2, 1]
 * batches(data, { size: 2, shuffle: 0, epochs: 2, dropLast: true }).steps // => 4
 * ```
 */
export const batches = <T>(arrays: T, options: BatchOptions): Batches<T> => {
  const { size, epochs, dropLast, from } = requireOptions(options)
  const { count, sources } = sourcesOf(arrays)
  const perEpoch = dropLast ? Math.floor(count / size) : Math.ceil(count / size)
  if (perEpoch === 0)
    throw new RangeError(
      `${who}: ${count} examples do not fill one batch of ${size}${dropLast ? ': take a smaller size, or dropLast: false' : ''}`,
    )
  const seed = options.shuffle === undefined ? undefined : hostKey(options.shuffle)
  const steps = perEpoch * epochs
  const indicesAt = (step: number): readonly number[] => {
    requireWhole(who, 'the step', step)
    if (step >= steps) throw new RangeError(`${who}: there is no step ${step}; there are ${steps}, from 0 on`)
    const first = (step % perEpoch) * size
    const places = range(Math.min(size, count - first)).map((i) => first + i)
    if (seed === undefined) return places
    const order = hostFold(seed, Math.floor(step / perEpoch)) // each epoch has an order of its own
    return places.map((place) => hostPermutationIndex(order, count, place))
  }
  const batchAt = (step: number): Rows<T> => rowsAt(arrays, sources, indicesAt(step))
  return {
    count,
    perEpoch,
    steps,
    at: batchAt,
    indicesAt,
    *[Symbol.iterator]() {
      for (let step = from; step < steps; step++) yield batchAt(step)
    },
  }
}

/**
 * The examples in two parts, chosen by the seed: those to learn from, and those that are held out to measure on.
 *
 * @param options share: of the examples that are held out, in [0, 1]; rounded, and at least one where it is above 0; seed: default 0
 * @throws ShapeError where the arrays have different numbers of examples
 * @example
 * ```ts
 * import { splitRows } from 'fathom/data'
 *
 * const { train, heldOut } = splitRows({ x: Int32Array.of(1, 2, 3, 4) }, { share: 0.25, seed: 0 })
 * train.x.shape // => [3]
 * heldOut.x.shape // => [1]
 * ```
 */
export const splitRows = <T>(
  arrays: T,
  options: { readonly share: number; readonly seed?: number },
): { readonly train: Rows<T>; readonly heldOut: Rows<T> } => {
  requireKnown('splitRows', options, ['share', 'seed'])
  const { share, seed = 0 } = options
  requireShare('splitRows', 'share', share)
  requireWhole('splitRows', 'seed', seed)
  const { count, sources } = sourcesOf(arrays)
  const order = range(count).map((i) => hostPermutationIndex(hostKey(seed), count, i))
  const held = share === 0 ? 0 : Math.min(count, Math.max(1, Math.round(share * count)))
  return {
    train: rowsAt<T>(arrays, sources, order.slice(held)),
    heldOut: rowsAt<T>(arrays, sources, order.slice(0, held)),
  }
}
