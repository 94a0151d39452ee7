/** A family of networks that the trainer has never seen: an entry in the registry, and its runs are trained, kept and drawn from. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { families } from '../../src/models/registry.ts'
import { lucidrainsFamily, type DenoiserInput } from '../../src/models/index.ts'
import { E } from '../../src/prelude/fp.ts'
import { tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { load, resume, sample, train, type TrainHooks } from '../../src/train/index.ts'
import { directories, done, tinyConfig } from './tinyRun.ts'

const directory = directories()

/** Answers with what it sees, scaled by its one parameter. */
const scaling = {
  init: () => ({ scale: tensor(0.5) }),
  apply: ({ scale }: { readonly scale: Tensor }, { x }: DenoiserInput): Tensor => x.mul(scale),
}

const second = { ...lucidrainsFamily, name: 'second', title: 'a scale', decode: E.right, build: () => scaling }

beforeAll(() => Object.assign(families, { second }))
afterAll(() => Reflect.deleteProperty(families, 'second'))

it('is trained, resumed and drawn from by the trainer as it is', async () => {
  const model = { ...lucidrainsFamily.defaults, kind: 'second' } as unknown as typeof lucidrainsFamily.defaults
  const config = tinyConfig(directory(), { device: 'cpu', model, steps: 4 })
  const controller = new AbortController()
  const models: string[] = []
  const hooks: TrainHooks = {
    signal: controller.signal,
    onEvent: (event) => {
      if (event._tag === 'Started') models.push(event.facts.words.model)
      if (event._tag === 'Stepped' && event.step === 2) controller.abort()
    },
  }
  expect(await done(train(config, hooks))).toMatchObject({ step: 2, interrupted: true })
  expect(models).toEqual(['a scale 8×8'])
  expect(await done(resume(config.out))).toMatchObject({ step: 4, measured: { heldOut: expect.any(Number) } })
  const run = await done(load(config.out))
  expect(Object.keys(run.params)).toEqual(['scale'])
  expect((await done(sample(run, { count: 1, steps: 1, seed: 0 }))).pictures[0]).toHaveLength(8 * 8 * 3)
})
