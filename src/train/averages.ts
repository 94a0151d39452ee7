/**
 * Moving averages of the weights, from which samples are drawn: which a run keeps. How far an average should look back depends on the network, the
 * rate and the length of the run; so a run may keep several, and draw from the one that is better on held-out examples.
 */
import { number, record, whole, type Decoder } from '../prelude/decode.ts'
import { E, pipe } from '../prelude/fp.ts'
import { diffusersEmaDecay, emaSchedule, powerEmaDecay } from '../optim/index.ts'

/** At least one. */
export type OneOrMore<A> = readonly [A, ...A[]]

/** Averages that look back a share of the run: by a power of the step (Karras et al. 2024). */
export interface WidthAverages {
  /** Their relative widths, each in (0, 0.2886]: 0.05 and 0.1 are usual. */
  readonly widths: readonly number[]
}

/** An average as lucidrains' trainer keeps it (ema_pytorch), which follows every so many steps. */
export interface EveryAverage {
  /** The largest decay, in [0, 1). */
  readonly decay: number
  readonly every: number
  /** The parameters are copied up to this step. */
  readonly after: number
}

/** How the weights are averaged; a number is the largest decay of one average that follows each step, with diffusers' warm-up. */
export type Averaging = number | WidthAverages | EveryAverage

/**
 * The average of lucidrains' trainer: `ema_decay = 0.995`, at every tenth step.
 *
 * @example
 * ```ts
 * import { configOf, lucidrainsAverage } from 'fathom/train'
 *
 * lucidrainsAverage // => { decay: 0.995, every: 10, after: 100 }
 * configOf({ out: 'run', ema: lucidrainsAverage }) // => right({ ema: { decay: 0.995, every: 10, after: 100 }, … })
 * ```
 */
export const lucidrainsAverage = { decay: 0.995, every: 10, after: 100 } as const satisfies EveryAverage

/** More averages cost memory and time, and differ by less than a choice between them can see. */
const mostWidths = 4

const decay = number('a number in [0, 1), for instance 0.995', (x) => x >= 0 && x < 1)

const isWidth = (x: unknown): x is number => typeof x === 'number' && x > 0 && x <= 0.2886

const widths: Decoder<readonly number[]> = (x) =>
  Array.isArray(x) && x.length > 0 && x.length <= mostWidths && new Set(x).size === x.length && x.every(isWidth)
    ? E.right(x)
    : E.left({ expected: `a list of 1 to ${mostWidths} different numbers in (0, 0.2886], for instance [0.05, 0.1]` })

const widthAverages = record<WidthAverages>({ widths })
const everyAverage = record<EveryAverage>({ decay, every: whole(1), after: whole(0) })

/** Any {@link Averaging}. */
export const decodeAveraging: Decoder<Averaging> = (x) => {
  if (typeof x === 'object' && x !== null) return 'widths' in x ? widthAverages(x) : everyAverage(x)
  return pipe(
    decay(x),
    E.mapLeft(() => ({
      expected: `a number in [0, 1), for instance 0.995, { "widths": [0.05, 0.1] } or ${JSON.stringify(lucidrainsAverage)}`,
    })),
  )
}

/** The same of each. */
export const mapEach = <A, B>([first, ...rest]: OneOrMore<A>, f: (a: A, i: number) => B): OneOrMore<B> => [
  f(first, 0),
  ...rest.map((a, i) => f(a, i + 1)),
]

/** The relative widths of the averages, if they are chosen by width. */
export const widthsOf = (averaging: Averaging): readonly number[] =>
  typeof averaging === 'object' && 'widths' in averaging ? averaging.widths : []

/** The decay of each average at step 1, 2, … */
export const decaysOf = (averaging: Averaging): OneOrMore<(step: number) => number> => {
  if (typeof averaging === 'number') return [diffusersEmaDecay({ decay: averaging })]
  if ('widths' in averaging) {
    const [first, ...rest] = averaging.widths.map((width) => powerEmaDecay({ width }))
    if (first === undefined) throw new RangeError('averages: there are no widths; give at least one, for instance 0.1')
    return [first, ...rest]
  }
  const { decay: beta, every: updateEvery, after: updateAfterStep } = averaging
  const schedule = emaSchedule({ beta, updateEvery, updateAfterStep })
  return [(step) => schedule(step - 1)] // ema_pytorch's first update, after the first step, is its step 0
}

/** A width as people say it: `5 %`. */
const showWidth = (width: number): string => `${Number((100 * width).toPrecision(4))} %`

/** Which average is drawn from, in a sentence that was measured; nothing where there is one. */
export const averageInWords = ({ averageWidth }: Readonly<Record<string, number>>): string =>
  averageWidth === undefined ? '' : `, drawn from the average of width ${showWidth(averageWidth)}`
