/**
 * What training prints while it goes on. On a terminal one line that is drawn again and again; elsewhere a line about every ten
 * seconds or every 5 %.
 */
import type { TrainEvent } from '../train/index.ts'
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
  imagesPerSecond: number
  heldOut: string
  printedAt: number
  printedShare: number
}

const bar = (share: number): string => `▕${'█'.repeat(Math.round(share * 20)).padEnd(20)}▏`

const line = (s: Standing, now: number): string => {
  const share = s.step / s.steps
  const left = ((now - s.startedAt) / 1000 / Math.max(1, s.step - s.from)) * (s.steps - s.step)
  return `  step ${grouped(s.step).padStart(grouped(s.steps).length)}/${grouped(s.steps)}  ${bar(share)} ${Math.floor(share * 100)} %   loss ${s.loss.toFixed(4)}${s.heldOut}   ${s.imagesPerSecond.toPrecision(3)} img/s   left ${showDuration(left)}`
}

/** A printer of events; `end` leaves the terminal on a fresh line. */
export const progressOn = (terminal: Terminal): { readonly onEvent: (event: TrainEvent) => void; readonly end: () => void } => {
  let standing: Standing | undefined
  let drawn = false
  const clear = (): void => {
    if (drawn) terminal.write('\r\u001b[K')
    drawn = false
  }
  const say = (text: string): void => {
    clear()
    terminal.write(`${text}\n`)
  }
  const stepped = (s: Standing, now: number): void => {
    const share = s.step / s.steps
    if (terminal.isTTY) {
      if (now - s.printedAt < redrawEvery && s.step < s.steps) return
      terminal.write(`\r${line(s, now).slice(0, Math.max(20, terminal.columns - 1))}\u001b[K`)
      drawn = true
    } else {
      if (now - s.printedAt < quietSeconds * 1000 && share - s.printedShare < 0.05 - 1e-9 && s.step < s.steps) return
      say(line(s, now))
    }
    s.printedAt = now
    s.printedShare = share
  }
  const onEvent = (event: TrainEvent): void => {
    const now = terminal.now()
    switch (event._tag) {
      case 'Started':
        say(header(event.facts))
        if (event.from > 0) say(`  continuing after step ${grouped(event.from)}`)
        standing = { step: event.from, steps: event.facts.config.steps, from: event.from, startedAt: now, loss: NaN, imagesPerSecond: NaN, heldOut: '', printedAt: now, printedShare: event.from / event.facts.config.steps }
        return
      case 'Warning':
        say(`  note      ${event.message}`)
        return
      case 'Stepped':
        if (standing === undefined) return
        standing.step = event.step
        standing.loss = Number.isNaN(standing.loss) ? event.loss : standing.loss + freshShare * (event.loss - standing.loss)
        standing.imagesPerSecond = Number.isNaN(standing.imagesPerSecond) ? event.imagesPerSecond : standing.imagesPerSecond + 0.2 * (event.imagesPerSecond - standing.imagesPerSecond)
        stepped(standing, now)
        return
      case 'HeldOut':
        if (standing !== undefined) standing.heldOut = `   held-out ${event.loss.toFixed(4)} (${event.relative.toFixed(2)} of guessing)`
        return
      case 'Saved':
        if (event.step > 0) say(`  ✓ checkpoint of step ${grouped(event.step)} → ${event.path}`)
        return
      case 'Sampled':
        say(`  ✓ samples of step ${grouped(event.step)} → ${event.path}`)
        return
    }
  }
  return { onEvent, end: clear }
}
