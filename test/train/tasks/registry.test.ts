/** Tasks by name: a run that names none trains what runs trained before there was a choice. */
import { describe, expect, it } from 'vitest'
import { range } from '../../../src/prelude/array.ts'
import { key } from '../../../src/tensor/random.ts'
import { leavesWithPaths } from '../../../src/tensor/tree.ts'
import { configHash } from '../../../src/train/configHash.node.ts'
import { configOf, decodeConfig, type DiffusionRun } from '../../../src/train/index.ts'
import { subjectOf } from '../../../src/train/tasks/registry.node.ts'
import { diffusionTask } from '../../../src/train/tasks/diffusion/diffusionTask.ts'
import { cpuDevice } from '../../support/device.ts'
import { done, leftMessage, right, tinyConfig, tinySettings } from '../tinyRun.ts'

describe('the task of a configuration', () => {
  it('that names none is diffusion, with the same configuration and hash as one that does', () => {
    const plain = right(configOf({ ...tinySettings, out: 'run' }))
    const named = right(configOf({ ...tinySettings, out: 'run', task: 'diffusion' }))
    expect(named).toEqual(plain)
    expect(configHash(named)).toBe(configHash(plain))
    expect(right(decodeConfig({ ...plain, task: 'diffusion' }))).toEqual(plain)
  })

  it('that is unknown is an error that names those there are', () => {
    expect(leftMessage(configOf({ ...tinySettings, out: 'run', task: 'difusion' }))).toBe(
      'task must be one of diffusion, got "difusion"; did you mean diffusion?',
    )
    expect(leftMessage(configOf({ ...tinySettings, out: 'run', task: 7 }))).toBe('task must be one of diffusion, got 7')
  })

  it('is given with its data to a function that need not know its types', async () => {
    const config = tinyConfig('run')
    const pathsOf = (other: DiffusionRun) =>
      subjectOf(other)(({ task }) => leavesWithPaths(task.init(key(0))).map(([path]) => path))
    expect(pathsOf(config)).toEqual(leavesWithPaths(diffusionTask(config).init(key(0))).map(([path]) => path))
    const sizes = await subjectOf(config)(async ({ open, task }) => {
      const { examples } = await done(open(cpuDevice(), () => undefined))
      return [examples(0, 2), task.blank(2)].map((batch) => leavesWithPaths(batch).map(([, x]) => x.shape))
    })
    expect(sizes).toEqual(range(2).map(() => [[2, 8, 8, 3]]))
  })
})
