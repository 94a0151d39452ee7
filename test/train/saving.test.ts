/** Saving a run: its metrics are on the disk before the checkpoint that counts on them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { nodeFileSystem } from '../../src/io/index.ts'
import { tensor } from '../../src/tensor/create.ts'
import { record, save } from '../../src/train/runDirectory.node.ts'
import { cpuDevice } from '../support/device.ts'
import { calls } from '../support/fileCalls.ts'
import { recipeWith, stateWith } from './plainNetwork.ts'
import { directories, done } from './tinyRun.ts'

vi.mock('node:fs/promises', async (original) => {
  const { watchedFs } = await import('../support/fileCalls.ts')
  return watchedFs(await original())
})

const directory = directories()

describe('saving', () => {
  it('syncs what was measured, and only then gives the checkpoint its name', async () => {
    const [run, device] = [directory(), cpuDevice()]
    await done(nodeFileSystem.makeDirectory(run))
    await done(record(run, { step: 1, loss: 0.5 }))
    const state = await device.realize(
      stateWith(
        recipeWith((p) => p, {}),
        tensor([1, 2, 3]),
      ),
    )
    calls.length = 0
    const progress = { step: 1, seed: 0, configHash: 'hash', data: 'seas', device: 'cpu' }
    await done(save(device, run, state, progress))
    const at = (part: string): number => calls.findIndex((call) => call.includes(part))
    expect(at(`sync ${join(run, 'metrics.jsonl')}`)).toBeGreaterThanOrEqual(0)
    expect(at(`sync ${join(run, 'metrics.jsonl')}`)).toBeLessThan(at(`→ ${join(run, 'checkpoints', 'step-000001')}`))
    expect(readFileSync(join(run, 'metrics.jsonl'), 'utf8')).toBe('{"step":1,"loss":0.5}\n')
  })
})
