/** A run with its progress on the terminal, which a signal stops. */
import process from 'node:process'
import type { OptionsByName } from '../backends/options.ts'
import { E, type TE } from '../prelude/fp.ts'
import type { TrainError, TrainEvent, TrainHooks, TrainSummary } from '../train/index.ts'
import { failed, type Outcome } from './outcome.ts'
import { progressOn } from './progress.ts'
import { quoted, seeMore } from './seeMore.ts'
import { showDuration } from './show.ts'
import { say } from './terminal.ts'

const report = ({ directory, step, steps, interrupted, stage, loss, words, seconds }: TrainSummary): void => {
  if (interrupted) {
    const whose = stage === undefined ? '' : ` of ${stage}`
    say(
      `\n  stopped after step ${step} of ${steps}${whose}, and saved. Continue with\n\n    fathom resume ${quoted(directory)}\n`,
    )
    return
  }
  if (seconds === 0)
    say(
      `  the run is complete: all ${steps} steps are done. Train longer with\n\n    fathom resume ${quoted(directory)} --steps ${2 * steps}`,
    )
  if (loss !== undefined)
    say(`\n  done in ${showDuration(seconds)}: loss ${loss.toFixed(4)}${words === undefined ? '' : `, ${words}`}`)
  say(`  ${seeMore(directory)}`)
}

/** The ways a person or a system asks a process to stop; a terminal that is closed sends the last. */
const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Calls `stop` at the first Ctrl-C; a second one ends the process at once.
 *
 * A step keeps the process busy, so both may arrive together: then the handler runs twice. After the first, the handler is removed,
 * and the system's own handling needs nothing of a busy process.
 *
 * @returns a function that removes the handler
 */
const onStop = (stop: () => void): (() => void) => {
  let asked = false
  const remove = (): void => {
    for (const signal of stopSignals) process.off(signal, handler)
  }
  const handler = (): void => {
    if (asked) process.exit(130)
    asked = true
    stop()
    setImmediate(remove)
  }
  for (const signal of stopSignals) process.on(signal, handler)
  return remove
}

/** What is said at the end of a run. */
interface Watching {
  readonly fail?: (error: TrainError) => Outcome
}

/** Runs with progress on the terminal; once a step is done the first Ctrl-C finishes the step and saves, the second ends the process at once. */
export const watched = async (
  options: OptionsByName,
  run: (hooks: TrainHooks) => TE.TaskEither<TrainError, TrainSummary>,
  { fail = failed }: Watching = {},
): Promise<Outcome> => {
  const controller = new AbortController()
  const { stdout } = process
  const progress = progressOn({
    isTTY: stdout.isTTY,
    columns: stdout.columns > 0 ? stdout.columns : 80,
    write: (text) => stdout.write(text),
    now: () => performance.now(),
  })
  let wasLost = false // the device, and no step was made since
  const stop = (): void => {
    progress.end()
    say(
      wasLost
        ? '  stopping where the last checkpoint stands … (Ctrl-C again ends at once, and loses nothing more)'
        : '  finishing the step and saving … (Ctrl-C again ends at once, and loses what came after the last checkpoint)',
    )
    controller.abort()
  }
  // Until the first step is done there is nothing to save, and compiling keeps the process too busy to hear of a signal: the system's
  // own handling ends it at once.
  let remove = (): void => undefined
  let listening = false
  const onEvent = (event: TrainEvent): void => {
    if (event._tag === 'Stepped' && !listening) {
      listening = true
      remove = onStop(stop)
    }
    if (event._tag === 'Stepped' || event._tag === 'DeviceLost') wasLost = event._tag === 'DeviceLost'
    progress.onEvent(event)
  }
  try {
    const { timeOrigin: since } = performance // what the process has spent so far is the run's
    const result = await run({ onEvent, since, signal: controller.signal, deviceOptions: options })()
    progress.end()
    if (E.isLeft(result)) return fail(result.left)
    report(result.right)
    return { code: result.right.interrupted ? 130 : 0 }
  } finally {
    remove()
  }
}
