/** A whole run of a task of one's own: prepared, begun and led to its end. */
import { pipe, TE } from '../prelude/fp.ts'
import type { TrainSummary } from './events.ts'
import { beginRun, finishRun, prepareRun, type RunParts } from './run.ts'
import type { Store } from './store.ts'
import type { TrainError } from './trainError.ts'

/**
 * {@link prepareRun}, {@link beginRun} and {@link finishRun}, one after the other: checkpoints, metrics, curves and sheets go to the store.
 *
 * @param parts the task, its data and the device; `emit` and `configHash` may be left out
 * @returns Left where the step does not fit, the loss is no number any more, or the device is lost
 * @example
 * ```ts
 * import { tensor, zeros, type Tensor } from 'fathom'
 * import { memoryStore, presets, wholeRun, type Task } from 'fathom/train'
 *
 * const words = { model: 'a number', goal: 'is 3', example: { one: '', many: '', short: '' }, measured: () => [] }
 * const loss = (x: Tensor): Tensor => x.sub(3).square()
 * const task: Task<Tensor, Tensor, object> = {
 *   words, losses: [], loss, init: () => tensor(0), draws: () => ({}), blank: (count) => zeros([count]),
 * }
 * const none = { fingerprint: '', summary: '', warnings: [], changes: () => [] }
 * const source = { examples: (_: number, count: number) => zeros([count]), ...none }
 * const names = { folder: null, out: 'memory', preset: '', seed: 0, device: 'wasm' }
 * const config = { ...presets.tiny, ...names, steps: 200, learningRate: 0.1 }
 * const store = memoryStore()
 * const run = wholeRun({ config, task, source, device }, store)
 * await run() // => right({ step: 200, interrupted: false, … })
 * const checkpoints = [...store.saved.keys()]
 * checkpoints // => [0, 50, 100, 150, 200]
 * ```
 */
export const wholeRun = <P, B, D>(
  parts: Omit<RunParts<P, B, D>, 'emit' | 'configHash'> & Partial<RunParts<P, B, D>>,
  store: Store,
): TE.TaskEither<TrainError, TrainSummary> =>
  pipe(
    prepareRun({ emit: () => undefined, configHash: '', ...parts }),
    TE.chainFirst((run) => beginRun(run, store)),
    TE.chain((run) => finishRun(run, store)),
  )
