/** What the page shows, and what may be pressed, from what it is told. */
import { describe, expect, it } from 'vitest'
import { ticksBetween } from '../../../examples/page/chart.ts'
import { emptyCurve, extended, smoothed, type Curve } from '../../../examples/page/curve.ts'
import type { Told } from '../../../examples/page/messages.ts'
import { settingsIn, configFor } from '../../../examples/page/settings.ts'
import { allowed, asked, firstView, heard, inTime, statusOf, type View } from '../../../examples/page/view.ts'

const started: Told = {
  kind: 'started',
  steps: 4,
  sampleEvery: 2,
  parameters: 187_347,
  memory: 25.2e6,
  data: 'seas',
  skipped: [],
  warnings: [],
}
const sheet = { side: 1, count: 1, bytes: new Uint8Array(3) }
const after = (view: View, ...all: readonly Told[]): View => all.reduce(heard, view)

const ready = after(firstView, { kind: 'opened', description: 'wasm · 2 threads' })
const training = after(asked(ready, 'start'), started, { kind: 'stepped', step: 1, loss: 0.5, seconds: 0.1 })

describe('the page', () => {
  it('opens a device, and says which', () => {
    expect(statusOf(firstView)).toBe('Opening the device …')
    expect(allowed(firstView)).toEqual({ start: false, stop: false, continue: false, use: false, choose: false })
    expect(ready).toMatchObject({ phase: 'ready', device: 'wasm · 2 threads' })
    expect(allowed(ready)).toEqual({ start: true, stop: false, continue: false, use: false, choose: true })
  })

  it('trains, stops and goes on', () => {
    expect(training).toMatchObject({ phase: 'training', step: 1, loss: 0.5, secondsPerStep: 0.1 })
    expect(training.facts).toBe('187,347 weights · 25 MB a step · seas')
    expect(allowed(training)).toEqual({ start: false, stop: true, continue: false, use: true, choose: false })
    const stopping = asked(training, 'stop')
    expect(statusOf(stopping)).toBe('Finishing the step …')
    expect(allowed(stopping).stop).toBe(false)
    const stopped = after(stopping, { kind: 'stepped', step: 2, loss: 0.4, seconds: 0.1 }, { kind: 'rested', step: 2 })
    expect(statusOf(stopped)).toBe('Stopped after step 2.')
    expect(allowed(stopped)).toEqual({ start: true, stop: false, continue: true, use: true, choose: true })
    expect(asked(stopped, 'continue')).toMatchObject({ phase: 'training', step: 2, curve: stopped.curve })
    const done = after(stopped, { kind: 'rested', step: 4 })
    expect(statusOf(done)).toBe('Done: all 4 steps.')
    expect(allowed(done).continue).toBe(false)
  })

  it('forgets a run when another is started, and keeps the device', () => {
    const shown = after(
      training,
      { kind: 'real', sheet },
      { kind: 'drawn', step: 1, sheet },
      { kind: 'rested', step: 1 },
    )
    expect(asked(shown, 'start')).toEqual({
      ...firstView,
      device: ready.device,
      phase: 'preparing',
      preparing: 'Preparing',
    })
  })

  it('shows how far a sheet is until it is there', () => {
    const drawing = after(training, { kind: 'drawing', done: 5, total: 25 })
    expect(drawing.drawing).toEqual({ done: 5, total: 25 })
    expect(allowed(after(drawing, { kind: 'rested', step: 1 }))).toMatchObject({
      start: false,
      continue: false,
      choose: false,
    })
    expect(after(drawing, { kind: 'drawing', done: 25, total: 25 }).drawing).toBeUndefined()
    expect(after(drawing, { kind: 'drawn', step: 1, sheet })).toMatchObject({
      drawing: undefined,
      drawn: { step: 1, sheet },
    })
  })

  it('says why something failed: of a run that goes on, of one that does not, and of a device', () => {
    const failed = (view: View, goesOn: boolean): View => heard(view, { kind: 'failed', why: 'no', goesOn })
    expect(failed(training, true)).toMatchObject({ phase: 'training', failure: 'no' })
    expect(failed(asked(ready, 'start'), false)).toMatchObject({ phase: 'ready', failure: 'no', preparing: '' })
    expect(failed(firstView, false)).toMatchObject({ phase: 'broken', failure: 'no' })
    expect(statusOf(failed(firstView, false))).toBe('No device is open.')
    expect(allowed(failed(firstView, false))).toMatchObject({ start: false, choose: true })
    expect(asked(failed(ready, false), 'open').failure).toBeUndefined()
  })

  it('writes times as people do', () => {
    expect([0, 9.6, 75, 3723].map(inTime)).toEqual(['0:00', '0:10', '1:15', '1:02:03'])
  })
})

describe('the curve of the loss', () => {
  const of = (losses: readonly number[]): Curve =>
    losses.reduce((curve, loss, i) => extended(curve, i + 1, loss), emptyCurve)

  it('has a point for each step while they are few', () => {
    expect(of([4, 2, 1]).points).toEqual([
      [1, 4],
      [2, 2],
      [3, 1],
    ])
  })

  it('has at most 1,024 points, means of equally many steps, of all steps but the last few', () => {
    const losses = Array.from({ length: 100_000 }, (_, i) => i)
    const { every, points, rest } = of(losses)
    expect(points.length).toBeLessThan(1024)
    expect(points.length).toBeGreaterThanOrEqual(512)
    expect(every * points.length + rest.length).toBe(100_000)
    points.forEach(([step, loss], i) => {
      expect(step).toBe((i + 1) * every)
      expect(loss).toBeCloseTo(i * every + (every - 1) / 2, 6)
    })
  })

  it('is smoothed without lag: a straight line of logarithms keeps its middle', () => {
    const points = Array.from({ length: 41 }, (_, i) => [i, Math.exp(-i / 10)] as const)
    expect(smoothed(points, 3)[20]?.[1]).toBeCloseTo(Math.exp(-2), 6)
    expect(smoothed([[1, 0.5]], 0)).toEqual([[1, 0.5]])
  })

  it('has ticks at 1, 2 and 5 of each decade', () => {
    expect(ticksBetween(0.03, 0.6)).toEqual([0.05, 0.1, 0.2, 0.5])
  })
})

describe('the address of the page', () => {
  it('chooses nothing, or what it says', () => {
    expect(settingsIn('')).toEqual({
      device: 'automatic',
      side: 16,
      steps: 600,
      sampleEvery: 100,
      sampleSteps: 25,
      seed: 0,
    })
    expect(settingsIn('?device=cpu&size=32&steps=12&every=3&sampler=4&seed=7')).toEqual({
      device: 'cpu',
      side: 32,
      steps: 12,
      sampleEvery: 3,
      sampleSteps: 4,
      seed: 7,
    })
  })

  it.each([
    ['?device=gpu', 'The address says device=gpu: it must be automatic, webgpu, wasm, cpu.'],
    ['?size=20', 'The address says size=20: it must be 16, 32, 64.'],
    ['?steps=0', 'The address says steps=0: it must be a whole number from 1 to 1000000.'],
    ['?seed=', 'The address says seed=: it must be a whole number from 0 to 4294967295.'],
  ])('%s is refused in words', (address, words) => {
    expect(() => settingsIn(address)).toThrow(words)
  })

  it('makes the configuration of a preset', () => {
    expect(configFor(settingsIn('?size=32&steps=9'), false)).toMatchObject({
      preset: 'small',
      height: 32,
      width: 32,
      steps: 9,
      folder: null,
      sampleCount: 16,
    })
    expect(configFor(settingsIn(''), true).folder).toBe('dropped pictures')
    expect(() => configFor(settingsIn('?sampler=1000&size=16'), false)).not.toThrow()
  })
})
