/** What is chosen where only a folder of photographs is named. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { flopsOf } from '../../src/compiler/cost.ts'
import { modelOf } from '../../src/models/registry.ts'
import { range } from '../../src/prelude/array.ts'
import type { E } from '../../src/prelude/fp.ts'
import { key } from '../../src/tensor/random.ts'
import { countElements } from '../../src/tensor/tree.ts'
import { chooseTraining, configOf, initialState, presets, recipeOf, stepperOn } from '../../src/train/index.ts'
import type { DiffusionRun, TrainingFacts } from '../../src/train/index.ts'
import { networks, type NetworkName } from '../../src/train/tasks/diffusion/choice/networks.ts'
import { stageOf } from '../../src/train/stages.node.ts'
import { cpuDevice } from '../support/device.ts'
import { right, tinyConfig, unetOf } from './tinyRun.ts'

const laptop = { device: '2 threads', gpu: false, flopsPerSecond: 1.5e11 } as const
const gpu = { device: 'this GPU', gpu: true, flopsPerSecond: 3e12 } as const

const photographs = (count: number, side = 480): readonly number[] => range(count).map(() => side)

/** The configuration that a choice makes, with what was given over it. */
const configFor = (facts: TrainingFacts): E.Either<{ readonly message: string }, DiffusionRun> => {
  const { preset, settings } = chooseTraining(facts)
  return configOf({
    out: 'run',
    folder: facts.sides === undefined ? null : 'photos',
    preset,
    ...settings,
    ...facts.given,
  })
}

const chosen = (facts: TrainingFacts) => {
  const { preset, height, time, augment, flip, model } = right(configFor(facts))
  return {
    preset,
    height,
    time,
    augment,
    flip,
    network: [unetOf(model).width, ...unetOf(model).multipliers].join(' '),
    dropout: model.dropout,
  }
}

describe('For photographs and a time', () => {
  const minutes = (n: number) => ({ given: { time: 60 * n } })
  it.each([
    [60, 'tiny', 16],
    [900, 'photos-32', 32],
    [1800, 'photos-32', 32],
    [2400, 'latent-64', 64],
    [3 * 3600, 'latent-64', 64],
  ])('two threads in %i seconds train %s', (time, preset, height) => {
    expect(chosen({ ...laptop, sides: photographs(1600), given: { time } })).toMatchObject({ preset, height, time })
  })

  it('a GPU trains in pixels, a smaller network where there are few photographs', () => {
    expect(chosen({ ...gpu, sides: photographs(1600) })).toEqual({
      preset: 'photos-64',
      height: 64,
      time: 3 * 3600,
      augment: 0.15,
      flip: false,
      network: '64 1 2 2 4',
      dropout: 0.2,
    })
    expect(chosen({ ...gpu, sides: photographs(5000) })).toMatchObject({
      preset: 'base',
      network: '64 1 2 4 8',
      dropout: 0.1,
    })
    expect(chosen({ ...gpu, sides: photographs(30_000) })).toMatchObject({
      network: '64 1 2 4 8',
      augment: undefined,
      flip: true,
    })
  })

  it.each([
    [128, 'latent-128'],
    [256, 'latent-256'],
    [64, 'photos-64'],
    [32, 'photos-32'],
  ])('of %i pixels that are asked for a GPU trains %s', (side, preset) => {
    expect(chosen({ ...gpu, sides: photographs(1600), given: { height: side, width: side } })).toMatchObject({
      preset,
      height: side,
    })
  })

  it('an hour is taken on a processor and three on a GPU, unless time or steps are given', () => {
    expect(chosen({ ...laptop, sides: photographs(1600) }).time).toBe(3600)
    expect(chosen({ ...gpu, sides: photographs(1600) }).time).toBe(3 * 3600)
    expect(chosen({ ...laptop, sides: photographs(1600), given: { steps: 300 } }).time).toBeUndefined()
  })

  it('nothing is done against learning by heart where each is seen a few times', () => {
    const seldom = { ...laptop, sides: photographs(4000), ...minutes(20) }
    expect(chosen(seldom)).toMatchObject({ dropout: undefined, augment: undefined, flip: true })
    expect(chooseTraining(seldom).reasons.at(-1)).toMatch(
      /no dropout: each photograph is seen about \d+ times, too seldom/,
    )
  })

  it('each decision has a sentence', () => {
    expect(chooseTraining({ ...laptop, sides: photographs(1600) }).reasons).toEqual([
      '1 hour, as is usual on a processor: --time says otherwise',
      'pictures of 64×64: there is time for them, 1 hour on 2 threads',
      'on latents of an autoencoder of their own, which is trained first: in pixels each photograph would be seen 10 times, on latents 79 times',
      'a U-Net of width 64, stages 1·2·4: as large as there is time for',
      'dropout 0.1: each photograph is seen about 79 times, often enough to be learned by heart',
    ])
  })

  it('changes of pictures that are asked for are made in pixels', () => {
    expect(chosen({ ...laptop, sides: photographs(1600), given: { augment: 0.3 } })).toMatchObject({
      preset: 'base',
      augment: 0.3,
    })
  })

  it('pictures are no larger than most photographs, and small ones are told of', () => {
    expect(chosen({ ...laptop, sides: photographs(1600, 40) })).toMatchObject({ preset: 'photos-32' })
    const { notes } = chooseTraining({ ...laptop, sides: [...photographs(90), ...photographs(10, 50)] })
    expect(notes).toEqual([expect.stringMatching(/^10 of 100 photographs are smaller than 64 pixels/)])
  })

  it('procedural seas have no end, and are not learned by heart', () => {
    expect(chosen({ ...laptop, given: { time: 900 } })).toMatchObject({ preset: 'photos-32', dropout: undefined })
    expect(chooseTraining({ ...laptop, given: { time: 900 } }).reasons.join()).not.toMatch(/photograph/)
  })
})

const facts = fc.record({
  sides: fc.oneof(
    fc.constant(undefined),
    fc
      .tuple(fc.integer({ min: 2, max: 30_000 }), fc.integer({ min: 20, max: 900 }))
      .map(([n, side]) => photographs(n, side)),
  ),
  device: fc.constant('2 threads'),
  gpu: fc.boolean(),
  flopsPerSecond: fc.double({ min: 1e8, max: 1e14, noNaN: true }),
  time: fc.option(fc.integer({ min: 1, max: 1e6 }), { nil: undefined }),
  steps: fc.option(fc.integer({ min: 1, max: 1e6 }), { nil: undefined }),
  size: fc.option(fc.constantFrom(16, 32, 64, 96, 128, 192, 256, 512), { nil: undefined }),
  augment: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
  batch: fc.option(fc.integer({ min: 1, max: 64 }), { nil: undefined }),
})

const factsOf = ({
  sides,
  size,
  time,
  steps,
  augment,
  batch,
  ...device
}: typeof facts extends fc.Arbitrary<infer A> ? A : never) => {
  const named = { time, steps, augment, batch, height: size, width: size }
  const given = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined))
  return { ...device, ...(sides !== undefined && { sides }), given }
}

describe('Every choice', () => {
  it('is a configuration that can be trained, with all that was given', () => {
    fc.assert(
      fc.property(facts, (some) => {
        const known = factsOf(some)
        const config = right(configFor(known))
        right(stageOf(config))
        expect(config).toMatchObject(known.given)
      }),
    )
  })

  it('with more time, or a faster device, has no smaller network', () => {
    const parameters = (model: DiffusionRun['model']): number => countElements(modelOf(model, 3).init(key(0)))
    const sizes = new Map(
      Object.values(networks).map(
        ({ model }) => [[model.width, ...model.multipliers].join(), parameters(model)] as const,
      ),
    )
    const sizeFor = (known: TrainingFacts): number => {
      const { width, multipliers } = unetOf(right(configFor(known)).model)
      return sizes.get([width, ...multipliers].join()) ?? NaN
    }
    fc.assert(
      fc.property(facts, fc.double({ min: 1, max: 1e4, noNaN: true }), (some, more) => {
        const known = factsOf(some)
        const before = sizeFor(known)
        expect(sizeFor({ ...known, flopsPerSecond: more * known.flopsPerSecond })).toBeGreaterThanOrEqual(before)
        const { time } = some
        if (time !== undefined)
          expect(sizeFor({ ...known, given: { ...known.given, time: more * time } })).toBeGreaterThanOrEqual(before)
      }),
    )
  })
})

describe('The operations of a network', () => {
  it.each<NetworkName>(['U16 1·2', 'U32 1·2·4'])('of %s are those of the plan of its step', (name) => {
    const { model, gflop, side } = networks[name]
    const recipe = recipeOf({ ...presets.small, ...tinyConfig('run'), model, height: side, width: side, batch: 2 })
    const plan = stepperOn(cpuDevice(), recipe).plan(initialState(recipe, key(0)))
    expect(flopsOf(plan) / 2e9 / gflop).toBeCloseTo(1, 1)
  })
})
