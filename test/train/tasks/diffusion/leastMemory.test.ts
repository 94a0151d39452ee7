import { describe, expect, it } from 'vitest'
import { memoryOf } from '../../../../src/compiler/cost.ts'
import { key } from '../../../../src/tensor/random.ts'
import { leastMemory, requireLeast } from '../../../../src/train/tasks/diffusion/leastMemory.node.ts'
import { configOf, decodeConfig, initialState, presets, recipeOf, stepperOn } from '../../../../src/train/index.ts'
import { cpuDevice } from '../../../support/device.ts'
import { leftMessage, right, tinyConfig } from '../../tinyRun.ts'

const device = cpuDevice()

describe('the least memory of a step', () => {
  it.each([
    ['the smallest network', {}],
    ['a large batch', { batch: 64 }],
    ['three averages of the weights', { ema: { widths: [0.05, 0.1, 0.2] } }],
    ['a narrow deep one', { model: { width: 4, multipliers: [1, 1, 1, 2], heads: 1, headWidth: 4 } }],
    ['latents of large pictures', { height: 256, width: 256, latent: { channels: 4, factor: 32 }, batch: 16 }],
    ['a wide one on few pixels', { model: { width: 64, multipliers: [1, 4], heads: 1, headWidth: 4 }, batch: 1 }],
  ])('is never more than the plan takes: %s', (_, changes) => {
    const config = tinyConfig('run', changes)
    const recipe = recipeOf(config)
    const plan = stepperOn(device, recipe).plan(initialState(recipe, key(0)))
    expect(leastMemory(config)).toBeLessThanOrEqual(memoryOf(plan))
    expect(leastMemory(config)).toBeGreaterThan(memoryOf(plan) / 100)
  })

  it('counts every average of the weights', () => {
    const at = (widths: readonly number[]): number => leastMemory(tinyConfig('run', { ema: { widths } }))
    expect(at([0.05, 0.1, 0.2]) - at([0.05, 0.1])).toBe(at([0.05, 0.1]) - at([0.05]))
    expect(at([0.05, 0.1])).toBeGreaterThan(at([0.05]))
  })

  it('grows with the batch and with the square of the width', () => {
    const at = (batch: number, width: number): number =>
      leastMemory(tinyConfig('run', { batch, model: { width, multipliers: [1], heads: 1, headWidth: 4 } }))
    expect(at(2000, 4)).toBeGreaterThan(600 * at(2, 4))
    expect(at(1, 4096)).toBeGreaterThan(10_000 * at(1, 4))
  })

  it('is held against the device, and against the machine where the device names no limit', () => {
    const config = tinyConfig('run', { batch: 1000 })
    expect(leftMessage(requireLeast({ name: 'small', memoryLimit: 1e6 }, config))).toMatch(
      /more than 2\.0\d MB, and 'small' can use 1 MB/,
    )
    expect(requireLeast({ name: 'cpu', memoryLimit: Infinity }, config)).toMatchObject({ _tag: 'Right' })
    expect(leftMessage(requireLeast({ name: 'cpu', memoryLimit: Infinity }, { ...config, batch: 1e9 }))).toMatch(
      /TB, and 'cpu'/,
    )
  })
})

describe('a configuration', () => {
  const written = { ...right(configOf({ out: 'run' })) }
  const withModel = (model: object) =>
    leftMessage(decodeConfig({ ...written, model: { ...presets.tiny.model, ...model } }))

  it('has upper limits, so that no size of it can end the process', () => {
    expect(withModel({ width: 2e9 })).toBe('model.width must be an even whole number from 4 to 8192, got 2000000000')
    expect(withModel({ heads: 1e9 })).toMatch(/model.heads must be a whole number from 1 to 1024/)
    expect(withModel({ headWidth: 1e9 })).toMatch(/model.headWidth must be a whole number from 1 to 4096/)
    expect(withModel({ multipliers: [1e6] })).toMatch(
      /model.multipliers must be a list of at most 12 whole numbers from 1 to 256/,
    )
    expect(withModel({ multipliers: Array.from({ length: 40 }, () => 1) })).toMatch(/a list of at most 12/)
    expect(leftMessage(decodeConfig({ ...written, batch: 2 ** 53 - 1 }))).toMatch(
      /batch must be a whole number from 1 to 1000000000/,
    )
    expect(leftMessage(decodeConfig({ ...written, accumulate: 1e9 }))).toMatch(
      /accumulate must be a whole number from 1 to 1000000/,
    )
    expect(leftMessage(decodeConfig({ ...written, height: 8192, width: 8192, sampleCount: 16 }))).toBe(
      'sampleCount must be at most 5 for pictures of 8192×8192, got 16',
    )
  })

  it('is shown without what a terminal obeys, and not at any length', () => {
    const escapes = '\u001b]0;owned\u0007'
    for (const bad of [{ [escapes]: 1 }, { preset: escapes }, { objective: escapes }]) {
      const message = leftMessage(configOf({ out: 'run', ...bad }))
      expect(message).toContain(']0;owned')
      expect(message).not.toMatch(/\p{Cc}/u)
    }
    expect(leftMessage(decodeConfig({ ...written, batch: 'x'.repeat(1e6) })).length).toBeLessThan(400)
  })
})
