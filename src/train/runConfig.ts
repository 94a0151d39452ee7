/** The settings of a run that every task has: plain data, and how they are decoded. */
import { number, oneOf, optional, text, whole, type Decoder, type Fault, type Fields } from '../prelude/decode.ts'
import { E, pipe } from '../prelude/fp.ts'
import { decodeAveraging, type Averaging } from './averages.ts'

/** Where a run lies, from what it is trained, and how long. */
export interface RunConfig {
  /** The folder of the data, or of a text its file; null where the task makes its own. */
  readonly folder: string | null
  /** The run directory. */
  readonly out: string
  readonly preset: string
  /** Examples that go through the network together. */
  readonly batch: number
  /** Batches for each step of the optimizer. */
  readonly accumulate: number
  /** Steps of the optimizer. */
  readonly steps: number
  /** Seconds that the run may take, by which its steps are chosen when it begins; absent where the steps were chosen themselves. */
  readonly time?: number
  /** The highest rate, reached after 1 % of the steps (100 at most). */
  readonly learningRate: number
  /** What follows: the same rate, or a half cosine down to 0. */
  readonly rate: 'constant' | 'cosine'
  /** How the weights are averaged: a number is the largest decay of their moving average, in [0, 1). */
  readonly ema: Averaging
  /** A safe integer ≥ 0, from which everything random is drawn. */
  readonly seed: number
  readonly device: string
  /** `mixed` computes with halves where they do (fathom's `withPrecision`), and scales the loss. Absent, as in the configurations of runs from before there was a choice, it is f32. */
  readonly precision?: 'f32' | 'mixed'
  /** Steps from one checkpoint, sheet of samples, and measurement on held-out examples to the next. */
  readonly saveEvery: number
  readonly sampleEvery: number
  readonly heldOutEvery: number
}

const precision = oneOf('f32', 'mixed')

/** The settings as a run without a choice has written them: f32 is not written down. */
export const withRunChoices = ({
  precision: chosen,
  ...others
}: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  chosen === undefined || chosen === 'f32' ? others : { ...others, precision: chosen }

/** What a learning rate must be. */
export const learningRate: Decoder<number> = number('a number above 0', (x) => x > 0 && Number.isFinite(x))

/** What each setting must be. */
export const runFields: Fields<RunConfig> = {
  folder: (x) =>
    x === null
      ? E.right(null)
      : pipe(
          text(x),
          E.mapLeft((): Fault => ({ expected: 'the path of a folder, or null for procedural seas' })),
        ),
  out: text,
  preset: text,
  batch: whole(1, 1e9),
  accumulate: whole(1, 1e6),
  steps: whole(1, 1e9),
  time: optional(number('seconds, more than 0', (x) => x > 0 && Number.isFinite(x))),
  learningRate,
  rate: oneOf('constant', 'cosine'),
  ema: decodeAveraging,
  seed: whole(0, 2 ** 52),
  device: text,
  precision: (x) => (x === undefined ? E.right('f32' as const) : precision(x)),
  saveEvery: whole(1),
  sampleEvery: whole(1),
  heldOutEvery: whole(1),
}
