import { describe, expect, it } from 'vitest'
import { progressOn } from '../../src/cli/progress.ts'
import { showCount, showDuration } from '../../src/cli/show.ts'
import { range } from '../../src/prelude/array.ts'
import { configOf, type TrainEvent } from '../../src/train/index.ts'
import { diffusionTask } from '../../src/train/tasks/diffusion/diffusionTask.ts'
import { right } from '../train/tinyRun.ts'

/** What happens beside steps: some that were skipped, and a loss of the device behind them. */
interface Extra {
  readonly skipped?: number
  readonly goesOnFrom?: number
}

/** Everything that is printed for `count` steps of a second each, and for a loss of the device behind them. */
const printed = (isTTY: boolean, count: number, steps = 1000, { skipped, goesOnFrom }: Extra = {}): string => {
  let [text, now] = ['', 0]
  const { onEvent, end } = progressOn({ isTTY, columns: 80, write: (more) => (text += more), now: () => now })
  const config = right(configOf({ out: 'r', steps }))
  const started = (from: number): TrainEvent => ({
    _tag: 'Started',
    from,
    facts: {
      config,
      words: diffusionTask(config).words,
      device: 'cpu',
      data: 'seas',
      parameters: 12_345,
      memory: 5e6,
      weights: 49_380,
      averages: 1,
      flops: 1e9,
    },
  })
  onEvent(started(0))
  for (const i of range(count)) {
    now += 1000
    onEvent({
      _tag: 'Stepped',
      step: i + 1,
      steps,
      loss: 0.5,
      examplesPerSecond: 16,
      ...(skipped !== undefined && { skipped }),
    })
  }
  if (goesOnFrom !== undefined) {
    onEvent({ _tag: 'DeviceLost', reason: 'the driver was reset', step: goesOnFrom, times: 2, most: 3 })
    onEvent(started(goesOnFrom))
    now += 1000
    onEvent({ _tag: 'Stepped', step: goesOnFrom + 1, steps, loss: 0.5, examplesPerSecond: 16 })
  }
  end()
  return text
}

const stepLines = (text: string): number => (text.match(/ step +[\d,]+\//g) ?? []).length

describe('progress', () => {
  it('says how many of the pictures of a sheet are copies, and warns of them', () => {
    let text = ''
    const { onEvent } = progressOn({ isTTY: false, columns: 80, write: (more) => (text += more), now: () => 0 })
    onEvent({ _tag: 'Sampled', step: 400, path: 'a.png' })
    onEvent({ _tag: 'Sampled', step: 800, path: 'b.png', copies: { found: 3, all: 64 } })
    onEvent({ _tag: 'Copied', step: 800, generated: { found: 3, all: 64 }, usual: { found: 0, all: 128 }, p: 0.004 })
    const [first, second, third] = text.split('\n')
    expect(first).toBe('  ✓ samples of step 400 → a.png')
    expect(second).toBe('  ✓ samples of step 800 → b.png · 3 of 64 pictures are copies of photographs')
    expect(third).toContain('3 of 64 drawn pictures are copies of photographs it is trained on; of real ones 0 of 128')
  })

  it('on a terminal draws one line again and again, no wider than the terminal, and clears it at the end', () => {
    const text = printed(true, 5)
    const lines = text.split('\r').filter((part) => / step +\d/.test(part))
    expect(lines).toHaveLength(5)
    for (const line of lines) expect(line.replace('\u001b[K', '').length).toBeLessThan(80)
    expect(text.endsWith('\r\u001b[K')).toBe(true)
  })

  it('elsewhere prints a line every ten seconds, without control characters', () => {
    const text = printed(false, 35)
    expect(stepLines(text)).toBe(3)
    expect(text).not.toMatch(/[\r\u001b]/)
  })

  it('elsewhere prints a line every 5 % where that is sooner', () => {
    expect(stepLines(printed(false, 40, 40))).toBe(20)
  })

  it('keeps the time left in a narrow terminal', () => {
    expect(printed(true, 3, 20_000)).toMatch(/3\/20,000 .* left 5:33:17/)
  })

  it('says how many steps were skipped, where some were', () => {
    expect(printed(false, 10, 1000, { skipped: 3 })).toContain('loss 0.5000  skipped 3  16.0 img/s')
    expect(printed(false, 10, 1000, { skipped: 0 })).not.toContain('skipped')
    expect(printed(false, 10)).not.toContain('skipped')
  })

  it('estimates the time left from the steps that were run', () => {
    expect(printed(false, 10)).toContain('left 16:30')
  })
})

describe('a device that is lost', () => {
  it('is said in one line, with the step that the run goes on from; what the run is is not said again', () => {
    const [before, after] = [printed(false, 30), printed(false, 30, 1000, { goesOnFrom: 20 })]
    expect(after.startsWith(before)).toBe(true)
    expect(after.slice(before.length)).toBe(
      '  ✗ the device was lost (the driver was reset): opening it again, to go on after step 20 (2 of at most 3 times an hour)\n',
    )
  })

  it('before the first checkpoint lets the run begin anew', () => {
    expect(printed(true, 3, 1000, { goesOnFrom: 0 })).toContain(
      'opening it again, to begin anew (2 of at most 3 times an hour)\n',
    )
  })

  it('is not counted in the time left: the steps since then are', () => {
    expect(printed(true, 30, 40, { goesOnFrom: 20 })).toMatch(/21\/40 .* left 0:19/)
  })
})

describe('numbers', () => {
  it.each([
    [5, '0:05'],
    [65, '1:05'],
    [7147, '1:59:07'],
    [90_000, '1 d 1 h'],
    [NaN, '?'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(showDuration(seconds)).toBe(text)
  })

  it.each([
    [987, '987'],
    [9_876, '9,876'],
    [187_347, '187 k'],
    [35_711_491, '35.7 M'],
  ])('%d are %s', (n, text) => {
    expect(showCount(n)).toBe(text)
  })
})
