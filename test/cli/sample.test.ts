/** `fathom sample` of a run whose weights are not worth drawing from. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { FlagValue } from '../../src/cli/parse.ts'
import { runSample } from '../../src/cli/pictures.ts'
import { samplers } from '../../src/diffusion/index.ts'
import { train } from '../../src/train/index.ts'
import { directories, done, leftMessage, tinyConfig } from '../train/tinyRun.ts'

const directory = directories()

it('a run that diverged before it had learned is an error, and draws no pictures of noise', async () => {
  const run = directory()
  leftMessage(await train(tinyConfig(run, { device: 'cpu', learningRate: 1e10, steps: 1 }))())
  expect(await runSample(run, new Map([['count', 1]]))).toMatchObject({
    code: 1,
    message: expect.stringMatching(/has learned nothing yet: its newest checkpoint with finite weights is step 0/u),
  })
})

it('a run of one good step is drawn from', async () => {
  const run = directory()
  await done(train(tinyConfig(run, { device: 'cpu', steps: 1 })))
  expect(
    await runSample(
      run,
      new Map([
        ['count', 1],
        ['steps', 1],
      ]),
    ),
  ).toEqual({ code: 0 })
})

it('every sampler draws by its name, in its usual steps', async () => {
  const run = directory()
  await done(train(tinyConfig(run, { device: 'cpu', steps: 1, timesteps: 8 })))
  const drawn: string[] = []
  for (const sampler of Object.keys(samplers)) {
    const out = join(run, `${sampler}.png`)
    const flags = new Map<string, FlagValue>([
      ['count', 1],
      ['sampler', sampler],
      ['out', out],
    ])
    expect(await runSample(run, flags)).toEqual({ code: 0 })
    drawn.push(readFileSync(out, 'hex'))
  }
  expect(new Set(drawn).size).toBe(drawn.length)
})

it('a sampler that there is not is wrong usage, with the names of those there are; so are steps that it cannot take', async () => {
  const run = directory()
  await done(train(tinyConfig(run, { device: 'cpu', steps: 1, timesteps: 8 })))
  expect(await runSample(run, new Map([['sampler', 'hein']]))).toEqual({
    code: 2,
    message: '--sampler must be one of ddim, ddpm, heun, dpm-solver, got "hein"; did you mean heun?',
  })
  expect(
    await runSample(
      run,
      new Map<string, FlagValue>([
        ['sampler', 'ddpm'],
        ['steps', 7],
      ]),
    ),
  ).toEqual({ code: 2, message: '--steps must be 8 for ddpm, which makes them all, got 7' })
})
