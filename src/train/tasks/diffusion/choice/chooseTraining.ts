/**
 * What `fathom train FOLDER` trains where nothing is said of it: chosen from the photographs, the device and the time, by what is known of each
 * (docs/small-data.md), with a sentence for each decision.
 */
import { ofTheRun, type PresetName } from '../presets.ts'
import { notesOf, reasonsOf } from './reasons.ts'
import { dropoutFor, isChanging, knownOf, numberIn, sketchOf, type Sketch, type TrainingFacts } from './sketch.ts'

/** What is chosen. */
export interface TrainingChoice {
  readonly preset: PresetName
  /** Settings over those of the preset, and under those that are given. */
  readonly settings: Readonly<Record<string, unknown>>
  /** A sentence for each decision. */
  readonly reasons: readonly string[]
  /** What a person should know of the photographs. */
  readonly notes: readonly string[]
}

/** Settings of a long run in pixels; the preset's rates are for one without end. */
const longRun = { rate: 'cosine', learningRate: 4e-4, ema: ofTheRun, weighting: 'snr+1' } as const

/** The preset that is nearest. */
const presetOf = (sketch: Sketch): PresetName =>
  sketch.where === 'pixels' && isChanging(sketch) && sketch.known.photographs <= 2000 ? 'photos-64' : sketch.preset

const settingsOf = (sketch: Sketch): Readonly<Record<string, unknown>> => {
  const { where, network, known } = sketch
  const { side, isSizeGiven, seconds, given } = known
  const dropout = dropoutFor(sketch)
  return {
    ...(numberIn(given, 'steps') === undefined && { time: seconds }),
    ...(!isSizeGiven && { height: side, width: side }),
    ...(where === 'pixels' && longRun),
    model: { ...network.model, ...(dropout > 0 && { dropout }) },
    ...(isChanging(sketch) && { augment: 0.15 }),
  }
}

/**
 * Chooses what to train: the size of the pictures, whether in pixels or on latents, the network, and what is done against learning by heart. More
 * time, or a faster device, never makes the network smaller.
 *
 * @returns a preset, and settings over it, which make a configuration with those that are given over them
 * @example
 * ```ts
 * import { chooseTraining, configOf } from 'fathom/train'
 *
 * const sides = Array.from({ length: 1600 }, () => 480)
 * const laptop = { sides, device: '2 threads', gpu: false, flopsPerSecond: 1.5e11 }
 * const { preset, settings, reasons } = chooseTraining(laptop)
 * preset // => 'latent-64'
 * reasons[0] // => '1 hour, as is usual on a processor: --time says otherwise'
 * configOf({ out: 'runs/photos', folder: 'photos', preset, ...settings }) // => right({ height: 64, time: 3600, … })
 * chooseTraining({ ...laptop, given: { time: 900 } }).preset // => 'photos-32'
 * ```
 */
export const chooseTraining = (facts: TrainingFacts): TrainingChoice => {
  const sketch = sketchOf(knownOf(facts))
  return {
    preset: presetOf(sketch),
    settings: settingsOf(sketch),
    reasons: reasonsOf(sketch),
    notes: notesOf(sketch),
  }
}
