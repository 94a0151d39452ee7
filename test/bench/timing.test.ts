import { describe, expect, it } from 'vitest'
import { barChart } from '../../bench/barChart.ts'
import { measurementOf, type Measurement } from '../../bench/report.ts'
import { rooflineChart } from '../../bench/roofline.ts'
import { alternate, type Timed } from '../../bench/timing.ts'
import { median } from '../../src/evaluation/statistics.ts'
import { tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice } from '../support/device.ts'

/** A subject that says how long it took, and notes that it ran. */
const claiming = (name: string, seconds: readonly number[], log: string[]): Timed => {
  let runs = 0
  return {
    name,
    run: () => {
      log.push(name)
      return Promise.resolve(seconds[runs++ % seconds.length])
    },
  }
}

const options = { rounds: 4, warmUp: 0, turn: 0, budget: 60 }

describe('timing', () => {
  it('lets subjects take turns, each going first as often', async () => {
    const log: string[] = []
    await alternate([claiming('a', [1], log), claiming('b', [1], log)], options)
    expect(log.join('')).toBe('abbaabba')
  })

  it('gives the median, so that one disturbed turn does not count', async () => {
    const [timing] = await alternate([claiming('a', [1, 100, 2, 2], [])], options)
    expect(timing).toMatchObject({ median: 2, fastest: 1, turns: 4 })
    expect(median([3, 1, 2, 10])).toBe(2.5)
  })

  it('repeats short runs within a turn and gives the seconds of one', async () => {
    const log: string[] = []
    const [timing] = await alternate([claiming('a', [0.25], log)], { ...options, rounds: 1, warmUp: 1, turn: 1 })
    expect(log).toHaveLength(1 + 4)
    expect(timing?.median).toBe(0.25)
  })

  it('keeps to the least number of turns when the budget is used up', async () => {
    const [timing] = await alternate([claiming('a', [1], [])], { ...options, rounds: 100, atLeast: 2, budget: 0 })
    expect(timing?.turns).toBe(2)
  })
})

describe('a measurement', () => {
  const plan = cpuDevice()
    .compile((x: Tensor) => x.matmul(x))
    .plan(
      tensor([
        [1, 2],
        [3, 4],
      ]),
    ) // 16 FLOP, 32 bytes
  const timing = { median: 1e-6, fastest: 1e-6, spread: 0, turns: 1 }
  const prepared = { plan, plans: 2, run: () => Promise.resolve() }
  const peak = { flopsPerSecond: 64e6, bytesPerSecond: 1e9 }
  const measured: Measurement = measurementOf({ group: 'gemm', name: 'a < b' }, 'cpu', prepared, timing, peak)

  it('compares the time with the least that its kernels need', () => {
    expect(measured).toMatchObject({ flops: 32, bytes: 64, ofPeak: 0.5, planned: 32 })
  })

  it('is drawn as a bar and as a point below the roof, with names as text', () => {
    expect(barChart([measured])).toMatch(/a &#60; b[^]*50 % · 0.0 GFLOP\/s/)
    expect(rooflineChart([measured], peak)).toMatch(/<circle [^>]*><title>a &#60; b/)
  })
})
