/** The settings of a run that every task has: plain data. */

/** Where a run lies, from what it is trained, and how long. */
export interface RunConfig {
  /** The folder of the data; null where the task makes its own. */
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
  /** The highest rate, reached after 1 % of the steps (100 at most). */
  readonly learningRate: number
  /** What follows: the same rate, or a half cosine down to 0. */
  readonly rate: 'constant' | 'cosine'
  /** The largest decay of the moving average of the weights, in [0, 1). */
  readonly ema: number
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
