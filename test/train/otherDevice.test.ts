/** A run whose device is not there any more. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { load, resume, train, type TrainEvent, type TrainHooks } from '../../src/train/index.ts'
import { directories, done, leftMessage, tinyConfig } from './tinyRun.ts'

const directory = directories()

const stopAfter = (last: number, seen: TrainEvent[] = []): TrainHooks => {
  const controller = new AbortController()
  return {
    signal: controller.signal,
    onEvent: (event) => {
      seen.push(event)
      if (event._tag === 'Stepped' && event.step === last) controller.abort()
    },
  }
}

describe('a run on another machine', () => {
  it('goes on with another device that is named, says so, and keeps to it', async () => {
    const config = tinyConfig(directory(), { device: 'cpu' })
    await done(train(config, stopAfter(1)))
    const seen: TrainEvent[] = []
    await done(resume(config.out, stopAfter(2, seen), { device: 'wasm' }))
    expect(seen.flatMap((e) => (e._tag === 'Warning' ? [e.message] : []))).toContain(
      'the run goes on with wasm, and went with cpu before: what follows differs from it in the last bits',
    )
    expect(JSON.parse(readFileSync(join(config.out, 'config.json'), 'utf8'))).toMatchObject({ device: 'wasm' })
    expect((await done(load(config.out))).step).toBe(2)
    const { step } = await done(resume(config.out, stopAfter(3)))
    expect(step).toBe(3)
  })

  it('is told how to go on where there is no GPU', async () => {
    const config = tinyConfig(directory(), { device: 'cpu' })
    await done(train(config, stopAfter(1)))
    const path = join(config.out, 'config.json')
    writeFileSync(path, readFileSync(path, 'utf8').replace('"device": "cpu"', '"device": "webgpu"'))
    expect(leftMessage(await resume(config.out)())).toBe(
      "device 'webgpu' could not be opened: no GPU is taken while the environment has FATHOM_WEBGPU=0: unset it. The run went on it before: resume it with --device wasm to go on with the processor, and numbers that differ in their last bits",
    )
    const { step } = await done(resume(config.out, stopAfter(2), { device: 'wasm' }))
    expect(step).toBe(2)
  })
})
