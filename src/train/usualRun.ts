/** The settings of a run of a task of one's own, where the program names only some of them. */
import { requireKnown } from '../prelude/options.ts'
import { runFields, type RunConfig } from './runConfig.ts'

/**
 * A configuration of a run from some of its settings: a batch of 16 at a rate of 10⁻³ that falls along a half cosine, an average with a decay of
 * 0.99, and what is written and measured at the end.
 *
 * @example
 * ```ts
 * import { usualRun } from 'fathom/train'
 *
 * usualRun({ steps: 500, batch: 32 }) // => { steps: 500, batch: 32, learningRate: 0.001, saveEvery: 500, … }
 * ```
 */
export const usualRun = (settings: Partial<RunConfig> = {}): RunConfig => {
  requireKnown('usualRun', settings, Object.keys(runFields))
  const { steps = 1000 } = settings
  return {
    folder: null,
    out: 'memory',
    preset: '',
    device: 'wasm',
    seed: 0,
    batch: 16,
    accumulate: 1,
    learningRate: 1e-3,
    rate: 'cosine',
    ema: 0.99,
    saveEvery: steps,
    sampleEvery: steps,
    heldOutEvery: steps,
    ...settings,
    steps,
  }
}
