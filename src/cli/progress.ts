/**
 * What training prints while it goes on. On a terminal one line that is drawn again and again; elsewhere a line about every ten
 * seconds or every 5 %.
 */
import { printable } from '../prelude/printable.ts'
import type { Preparation, TaskWords, TrainEvent } from '../train/index.ts'
import { grouped, header, showDuration } from './show.ts'

/** Where to print, and what time it is. */
export interface Terminal {
  readonly isTTY: boolean
  readonly columns: number
  readonly write: (text: string) => void
  /** Milliseconds. */
  readonly now: () => number
}

/** Seconds between two lines where nothing can be redrawn. */
const quietSeconds = 10

/** Milliseconds between two drawings of the line: faster cannot be read. */
const redrawEvery = 100

/** The share of the newest loss in the one that is shown. */
const freshShare = 0.05

interface Standing {
  step: number
  steps: number
  from: number
  startedAt: number
  loss: number
  examplesPerSecond: number
  /** Steps that gradients' overflow has cost. */
  skipped: number
  /** What a rate counts: `img`. */
  readonly example: string
  /** What was measured last, from the shortest form. */
  measured: readonly string[]
  /** What a sheet is called. */
  readonly sheet: string
  printedAt: number
  printedShare: number
}

const shareInWords = ({ found, all }: { readonly found: number; readonly all: number }): string =>
  `${grouped(found)} of ${grouped(all)}`

/** How many pictures of a sheet, and of those drawn with it, are copies. */
const copiesInWords = ({ copies }: Extract<TrainEvent, { readonly _tag: 'Sampled' }>): string =>
  copies === undefined ? '' : ` · ${shareInWords(copies)} pictures are copies of photographs`

const bar = (share: number): string => `▕${'█'.repeat(Math.round(share * 10)).padEnd(10)}▏ `

/** The line of progress, with as much in it as fits. */
const line = (s: Standing, now: number, width: number): string => {
  const share = s.step / s.steps
  const left = ((now - s.startedAt) / 1000 / Math.max(1, s.step - s.from)) * (s.steps - s.step)
  const step = `  step ${grouped(s.step).padStart(grouped(s.steps).length)}/${grouped(s.steps)}  `
  const skipped = s.skipped > 0 ? `  skipped ${grouped(s.skipped)}` : ''
  const numbers = (measured = ''): string =>
    `${Math.floor(share * 100)} %  loss ${s.loss.toFixed(4)}${measured}${skipped}  ${s.examplesPerSecond.toPrecision(3)} ${s.example}/s  left ${showDuration(left)}`
  const [short = '', long = short] = s.measured.map((words) => `  ${words}`)
  const choices = [`${bar(share)}${numbers(long)}`, `${bar(share)}${numbers(short)}`, numbers(short), numbers()]
  return `${step}${choices.find((text) => step.length + text.length < width) ?? numbers()}`
}

/** Writes lines, and one line that is drawn over. */
interface Pen {
  readonly say: (text: string) => void
  readonly draw: (text: string) => void
  readonly clear: () => void
}

const penOn = ({ write, columns }: Terminal): Pen => {
  let drawn = false
  const clear = (): void => {
    if (drawn) write('\r\u001b[K')
    drawn = false
  }
  return {
    clear,
    say: (text) => {
      clear()
      write(`${printable(text, { lines: true })}\n`) // paths and pictures' names are in it
    },
    draw: (text) => {
      write(`\r${text.slice(0, Math.max(20, columns - 1))}\u001b[K`)
      drawn = true
    },
  }
}

/** Before anything is known of the task. */
const noWords = { example: { one: '', many: '', short: '' } }

type Stepped = Extract<TrainEvent, { readonly _tag: 'Stepped' }>

const begun = (from: number, steps: number, words: Pick<TaskWords, 'example' | 'sheet'>, now: number): Standing => ({
  step: from,
  steps,
  from,
  startedAt: now,
  loss: NaN,
  examplesPerSecond: NaN,
  skipped: 0,
  example: words.example.short,
  sheet: words.sheet ?? 'samples',
  measured: [],
  printedAt: now,
  printedShare: from / steps,
})

const smoothed = (old: number, fresh: number, share: number): number =>
  Number.isNaN(old) ? fresh : old + share * (fresh - old)

const advance = (s: Standing, { step, loss, examplesPerSecond, skipped = 0 }: Stepped): void => {
  s.step = step
  s.skipped = skipped
  s.loss = smoothed(s.loss, loss, freshShare)
  s.examplesPerSecond = smoothed(s.examplesPerSecond, examplesPerSecond, 4 * freshShare)
}

/** Whether it is time for another line. */
const isDue = (s: Standing, isTTY: boolean, now: number): boolean =>
  s.step === s.steps ||
  (isTTY
    ? now - s.printedAt >= redrawEvery
    : now - s.printedAt >= quietSeconds * 1000 || s.step / s.steps - s.printedShare >= 0.05 - 1e-9)

/** What became of a device, and of the run. */
const lossLine = ({ reason, step, times, most }: Extract<TrainEvent, { readonly _tag: 'DeviceLost' }>): string =>
  `  ✗ the device was lost (${reason}): opening it again, ${step === 0 ? 'to begin anew' : `to go on after step ${grouped(step)}`} (${times} of at most ${most} times an hour)`

const preparations: { readonly [K in Preparation]: readonly [doing: string, done: string] } = {
  compared: ['comparing pictures, to find near-duplicates', 'pictures compared'],
  encoded: ['encoding pictures', 'pictures encoded, and their mirror images'],
}

/** How far pictures are prepared: a line that grows on a terminal, and elsewhere one in the end. */
const showPrepared = (
  pen: Pen,
  isTTY: boolean,
  { what, share }: Extract<TrainEvent, { readonly _tag: 'Prepared' }>,
): void => {
  const [doing, done] = preparations[what]
  if (share === 1) pen.say(`  ✓ ${done}`)
  else if (isTTY) pen.draw(`  ${doing}: ${Math.floor(100 * share)} %`)
}

/** What is said of an event by itself; undefined where that depends on what was before, or nothing is said. */
const said = (event: TrainEvent, sheet: string): string | undefined => {
  switch (event._tag) {
    case 'Warning':
      return `  note      ${event.message}`
    case 'Stage':
      return `${event.before === undefined ? '' : `  ✓ ${event.before}\n`}\n  stage     ${event.number} of ${event.of}: ${event.what}`
    case 'Timed':
      return `  time      ${event.secondsPerStep.toPrecision(3)} s a step, and ${showDuration(event.aside)} for measurements, sheets and checkpoints: ${grouped(event.steps)} steps fit`
    case 'Passed':
      return `  note      ${event.about} has risen from ${event.least.toFixed(4)} at step ${grouped(event.best)} to ${event.loss.toFixed(4)}: the model learns by heart what it is trained on. The weights of step ${grouped(event.best)} are kept, and \`--weights best\` takes them`
    case 'Saved':
      return event.step > 0 ? `  ✓ checkpoint of step ${grouped(event.step)} → ${event.path}` : undefined
    case 'Sampled':
      return `  ✓ ${sheet} of step ${grouped(event.step)} → ${event.path}${copiesInWords(event)}`
    case 'Copied':
      return `  note      ${shareInWords(event.generated)} drawn pictures are copies of photographs it is trained on; of real ones ${shareInWords(event.usual)} would be called so: the model learns its pictures by heart. Look at the sheet, and at what was kept before: fathom sample DIR --weights best`
    case 'DeviceLost':
      return lossLine(event)
    default:
      return undefined
  }
}

/** A printer of events; `end` leaves the terminal on a fresh line. */
export const progressOn = (
  terminal: Terminal,
): { readonly onEvent: (event: TrainEvent) => void; readonly end: () => void } => {
  const pen = penOn(terminal)
  let standing = begun(0, 1, noWords, 0)
  let wasLost = false
  const onEvent = (event: TrainEvent): void => {
    const now = terminal.now()
    const text = said(event, standing.sheet)
    if (text !== undefined) pen.say(text)
    switch (event._tag) {
      case 'Started':
        if (!wasLost) pen.say(header(event.facts)) // after a loss it is the same run, and what it goes on from is said
        if (!wasLost && event.from > 0) pen.say(`  continuing after step ${grouped(event.from)}`)
        standing = begun(event.from, event.facts.config.steps, event.facts.words, now)
        wasLost = false
        return
      case 'Prepared':
        showPrepared(pen, terminal.isTTY, event)
        return
      case 'Stepped':
        advance(standing, event)
        if (!isDue(standing, terminal.isTTY, now)) return
        ;(terminal.isTTY ? pen.draw : pen.say)(line(standing, now, terminal.isTTY ? terminal.columns : Infinity))
        standing.printedAt = now
        standing.printedShare = standing.step / standing.steps
        return
      case 'Measured':
        standing.measured = event.words
        return
      case 'DeviceLost':
        wasLost = true
        return
      default:
    }
  }
  return { onEvent, end: pen.clear }
}
