import { describe, expect, it } from 'vitest'
import { E } from '../../src/prelude/fp.ts'
import { keysOf } from '../../src/prelude/record.ts'
import { configOf, decodeConfig, nearest, presets, settings, type PresetName } from '../../src/train/index.ts'
import { leftMessage, right } from './tinyRun.ts'

const message = (given: Readonly<Record<string, unknown>>): string => leftMessage(configOf({ out: 'r', ...given }))

describe('the configuration of a run', () => {
  it.each(keysOf<PresetName>(presets))('is whole with the preset %s and a directory', (preset) => {
    const config = right(configOf({ preset, out: 'r' }))
    // What may be absent: where channels are 3 and numbers f32, where no time is given and nothing is told or changed; and pixels have no latents.
    const others = ['augment', 'channels', 'labelDropout', 'labels', 'latent', 'margin', 'precision', 'split', 'time']
    const optional = [...others, 'betas', 'noise', 'shift', 'times', 'zeroTerminal'] // of noise, what is usual
    const written = settings.filter((name) => !optional.includes(name) || name in presets[preset])
    expect(Object.keys(config).toSorted()).toEqual(written.toSorted())
    expect(decodeConfig(JSON.parse(JSON.stringify(config)))).toEqual(E.right(config))
  })

  it('takes what is named over the preset, and single settings of the model', () => {
    expect(right(configOf({ out: 'r', steps: 7, model: { width: 8 } }))).toMatchObject({
      steps: 7,
      model: { ...presets.tiny.model, width: 8 },
    })
  })

  it.each([
    [{ lerningRate: 1 }, 'lerningRate is not a setting; did you mean learningRate?'],
    [{ zzz: 1 }, 'zzz is not a setting; there are folder, out'],
    [
      { preset: 'smal' },
      'preset must be one of tiny, small, base, photos-32, photos-64, latent-64, latent-128, latent-256, got "smal"; did you mean small?',
    ],
    [{ model: { with: 8 } }, 'model.with is not a setting; did you mean width?'],
    [{ model: { width: 7 } }, 'model.width must be an even whole number from 4 to 8192, got 7'],
    [
      { model: { kind: 'lucidrain' } },
      'model.kind must be one of lucidrains, unet2d, edm2, dit, uvit, got "lucidrain"; did you mean lucidrains?',
    ],
    [{ model: 3 }, 'model must be a record of settings, got 3'],
    [{ batch: 0 }, 'batch must be a whole number from 1 to 1000000000, got 0'],
    [{ batch: 2.5 }, 'batch must be a whole number from 1 to 1000000000, got 2.5'],
    [{ batch: '16' }, 'batch must be a whole number from 1 to 1000000000, got "16"'],
    [{ learningRate: -1 }, 'learningRate must be a number above 0, got -1'],
    [{ learningRate: Infinity }, 'learningRate must be a number above 0, got Infinity'],
    [{ learningRate: NaN }, 'learningRate must be a number above 0, got NaN'],
    [{ margin: 100 }, 'margin must be a number above 1 and at most 4, for instance 1.25, got 100'],
    [{ ema: 1 }, 'ema must be a number in [0, 1), for instance 0.995, { "widths": [0.05, 0.1] } or '],
    [{ objective: 'epsilom' }, 'objective must be one of epsilon, x0, v, flow, got "epsilom"; did you mean epsilon?'],
    [{ height: 17, width: 17 }, 'image size 17 is not divisible by 2 (1 halving): use 16 or 18'],
    [{ preset: 'base', height: 100, width: 100 }, 'image size 100 is not divisible by 8 (3 halvings): use 96 or 104'],
    [{ preset: 'base', width: 4 }, 'image width 4 is not divisible by 8 (3 halvings): use 8'],
    [{ minSnr: -5 }, 'minSnr must be a number above 0, for instance 5, or null, got -5'],
    [
      { height: 64, width: 64, batch: 1, accumulate: 1e6 },
      'batch × accumulate must be at most 349525 pictures of 64×64 (a step draws no more than 2³² numbers of noise), got 1 × 1000000',
    ],
    [{ shift: 0 }, 'shift must be a number above 0 and at most 100, for instance 3, got 0'],
    [{ zeroTerminal: false }, 'zeroTerminal must be true, or absent, got false'],
    [{ zeroTerminal: true, schedule: 'flow', objective: 'flow' }, 'zeroTerminal must be absent with the schedule flow'],
    [
      { zeroTerminal: true, objective: 'epsilon' },
      'objective must be v, x0 or flow where the schedule ends in pure noise',
    ],
    [
      { schedule: 'flow', objective: 'epsilon' },
      'objective must be v, x0 or flow where the schedule ends in pure noise',
    ],
    [{ weighting: 'plain', minSnr: 5 }, 'minSnr must be null with the weighting plain, got 5'],
    [
      { times: 'uniform' },
      'times must be a record with a density, one of uniform, cosmap, logit-normal, log-normal, mode',
    ],
    [{ times: { density: 'mode', scale: 2 } }, 'times.scale must be a number from −1 to 1.75, got 2'],
    [{ times: { density: 'uniform', mean: 0 } }, 'times.mean is not a setting; there are density'],
    [
      { schedule: 'cosine', betas: [1e-4, 0.02] },
      'betas must be absent with the schedule cosine: only linear, scaled-linear, sigmoid-beta',
    ],
    [{ schedule: 'linear', betas: [1e-4] }, 'betas must be the first β and the last, each between 0 and 1'],
    [
      { schedule: 'linear', timesteps: 10, sampleSteps: 5 },
      'the noise schedule cannot be made: scheduleFromBetas: β at t = ',
    ],
    [{ noise: { offset: 2 } }, 'noise.offset must be a number above 0 and at most 1, for instance 0.1, got 2'],
    [{ noise: { candidates: 4 } }, 'noise.choice must be nearest or best, with candidates, got none'],
    [{ noise: { choice: 'best' } }, 'noise.candidates must be a whole number from 2 to 64, with a choice, got none'],
    [{ sampleSteps: 2000 }, 'sampleSteps must be at most timesteps, 1000, got 2000'],
  ])('%j is an error that helps', (given, expected) => {
    expect(message(given)).toContain(expected)
  })

  it.each([
    [{ steps: 0 }, { path: 'steps', expected: 'a whole number from 1 to 1000000000', got: '0' }],
    [{ model: { width: 7 } }, { path: 'model.width', expected: 'an even whole number from 4 to 8192', got: '7' }],
    [{ model: { with: 8 } }, { path: 'model.with', expected: undefined, hint: '; did you mean width?' }],
    [{ model: 3 }, { path: 'model', got: '3' }],
    [{ sampleSteps: 2000 }, { path: 'sampleSteps', expected: 'at most timesteps, 1000' }],
  ])('%j is an error with the path of the setting, what it must be and what it is', (given, expected) => {
    expect(configOf({ out: 'r', ...given })).toMatchObject(E.left({ setting: expected }))
  })
})

describe('the nearest name', () => {
  it.each([
    ['stesp', 'steps'],
    ['learning-rate', 'learningRate'],
    ['BATCH', 'batch'],
  ])('of %s is %s', (written, expected) => {
    expect(nearest(written, settings)).toBe(expected)
  })

  it('is none where nothing is near', () => {
    expect(nearest('qqqqqqq', settings)).toBeUndefined()
  })
})
