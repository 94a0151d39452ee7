/** `fathom sample` of a run whose weights are not worth drawing from. */
import { expect, it } from 'vitest'
import { runSample } from '../../src/cli/pictures.ts'
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
