import { describe, expect, it } from 'vitest'
import { configHash, isOf } from '../../src/train/configHash.node.ts'
import { tinyConfig, unetOf } from './tinyRun.ts'

// Written down before there was a choice of how pictures are split.
const { split: _, ...config } = tinyConfig('run')

describe('what a run cannot change on its way', () => {
  it('is all that determines its numbers, but how long it goes on', () => {
    const hash = configHash(config)
    const free = {
      out: 'elsewhere',
      steps: 900,
      saveEvery: 7,
      sampleEvery: 7,
      heldOutEvery: 7,
      sampleCount: 7,
      sampleSteps: 7,
      watch: 'off',
    }
    for (const [name, value] of Object.entries(free)) expect(configHash({ ...config, [name]: value }), name).toBe(hash)
    const fixed = {
      folder: 'photos',
      batch: 3,
      accumulate: 2,
      learningRate: 1,
      ema: 0.5,
      seed: 1,
      device: 'cpu',
      flip: false,
    }
    for (const [name, value] of Object.entries(fixed))
      expect(configHash({ ...config, [name]: value }), name).not.toBe(hash)
    expect(configHash({ ...config, model: { ...unetOf(config.model), heads: 2 } })).not.toBe(hash)
    expect(configHash({ ...config, folder: 'moved' })).toBe(configHash({ ...config, folder: 'photos' }))
  })

  it('is known of runs whose checkpoints were saved when the steps were part of it', () => {
    // written by the version before, for this configuration
    const earlier = '249a71d7a14bb46803c2b1e624deb95be0e65b6f914b4abbfce3a87a4163eaf5'
    expect(isOf(config, { configHash: earlier })).toBe(true)
    expect(isOf({ ...config, steps: 7 }, { configHash: earlier })).toBe(false)
    expect(isOf(config, { configHash: configHash({ ...config, steps: 7 }) })).toBe(true)
    expect(isOf(config, { configHash: configHash({ ...config, seed: 7 }) })).toBe(false)
  })
})
