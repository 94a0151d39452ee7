/**
 * Timing: subjects take turns, so that a disturbance of the machine meets all of them, and the median of the turns counts.
 */
import { median, quantile } from '../src/evaluation/statistics.ts'
import { at, range } from '../src/prelude/array.ts'

/** Something that is timed. */
export interface Timed {
  readonly name: string
  /** Does it once; the seconds that count, where it measures them itself. */
  readonly run: () => Promise<number | undefined>
}

/** How long to measure. */
export interface TimingOptions {
  /** Turns of each subject, at most and at least. */
  readonly rounds: number
  readonly atLeast?: number
  /** Turns before, which do not count: V8 compiles what runs often. */
  readonly warmUp: number
  /** Seconds of a turn; shorter runs are repeated in one. */
  readonly turn: number
  /** Seconds for all subjects together, after which there are no more rounds than `atLeast`. */
  readonly budget: number
}

/** The seconds of one run of a subject. */
export interface Timing {
  readonly median: number
  readonly fastest: number
  /** Half the distance between the quartiles, as a share of the median. */
  readonly spread: number
  readonly turns: number
}

const now = (): number => performance.now() / 1000

const runOnce = async ({ run }: Timed): Promise<number> => {
  const start = now()
  const own = await run()
  return own ?? now() - start
}

const repeated = async (subject: Timed, times: number): Promise<number> => {
  let seconds = 0
  for (let i = 0; i < times; i++) seconds += await runOnce(subject)
  return seconds / times
}

const timingOf = (seconds: readonly number[]): Timing => {
  const middle = median(seconds)
  const spread = (quantile(seconds, 0.75) - quantile(seconds, 0.25)) / 2 / middle
  return { median: middle, fastest: Math.min(...seconds), spread, turns: seconds.length }
}

/** Times the subjects in turns; the result is in their order. */
export const alternate = async (
  subjects: readonly Timed[],
  { rounds, atLeast = 3, warmUp, turn, budget }: TimingOptions,
): Promise<readonly Timing[]> => {
  const begin = now()
  const repeats: number[] = []
  for (const subject of subjects) {
    let last = 0
    for (let i = 0; i < warmUp && now() - begin < budget; i++) last = await runOnce(subject)
    repeats.push(Math.max(1, Math.ceil(turn / Math.max(last, 1e-6))))
  }
  const seconds = subjects.map((): number[] => [])
  for (let round = 0; round < rounds && (round < atLeast || now() - begin < budget); round++) {
    const order = range(subjects.length)
    for (const s of round % 2 === 0 ? order : order.toReversed())
      at(seconds, s).push(await repeated(at(subjects, s), at(repeats, s)))
  }
  return seconds.map(timingOf)
}
