/** How long something takes on a device that is only told what to do, and goes on by itself. */
import { range } from '../../src/prelude/array.ts'
import { median, quantile } from '../../src/evaluation/statistics.ts'

/** Something that is measured. */
export interface Work {
  /** Tells the device to do it once. */
  readonly run: () => Promise<unknown>
  /** Waits until the device has done all. */
  readonly settle: () => Promise<unknown>
}

/** How to measure. */
export interface MeasureOptions {
  /** Seconds for all rounds together, as far as that can be foreseen. */
  readonly seconds: number
  readonly rounds: number
}

/** What was measured, of one run. */
export interface Measured {
  /** The median of the rounds. */
  readonly ms: number
  /** Half the distance between the quartiles, as a share of the median. */
  readonly spread: number
  /** Runs in all rounds. */
  readonly runs: number
  /** Until it was handed over. */
  readonly hostMs: number
}

/** Runs that are told together at most: what waits holds memory. */
const mostTogether = 500

/** Seconds. */
const usualClock = (): number => performance.now() / 1000

/** Measures work that ran at least once before. A round is many runs and one wait, so that waiting counts little. */
export const measure = async (
  { run, settle }: Work,
  { seconds, rounds }: MeasureOptions,
  now: () => number = usualClock,
): Promise<Measured> => {
  await settle()
  const start = now()
  await run()
  await settle()
  const once = Math.max(now() - start, 1e-6)
  const times = Math.min(mostTogether, Math.max(1, Math.ceil(seconds / rounds / once)))
  const [whole, host]: [number[], number[]] = [[], []]
  for (const _ of range(rounds)) {
    const begin = now()
    for (let i = 0; i < times; i++) await run()
    host.push((1000 * (now() - begin)) / times)
    await settle()
    whole.push((1000 * (now() - begin)) / times)
  }
  const ms = median(whole)
  const spread = ms > 0 ? (quantile(whole, 0.75) - quantile(whole, 0.25)) / 2 / ms : 0
  return { ms, spread, runs: times * rounds, hostMs: median(host) }
}
