/** Sheets of what the averaged parameters have learned, for a person to look at; and what is found of them, where they are watched. */
import type { Share } from '../../evaluation/judgement.ts'
import { pipe, TE } from '../../prelude/fp.ts'
import type { ChosenAverage } from '../chosenAverage.ts'
import type { TrainEvent } from '../events.ts'
import { names, padded, type Store } from '../store.ts'
import type { Sheet } from '../task.ts'
import type { TrainError } from '../trainError.ts'
import { isDue, nothing, type Report, type Sink } from './sink.ts'

/** The sheet of a step. */
export type SheetOfStep<P> = (report: Report<P>) => TE.TaskEither<TrainError, Sheet>

/** Draws the sheet of a step once, whoever asks for it first: the metrics hold what is found of it, and it is a file. */
export const oncePerStep = <P>(
  draw: (average: P) => TE.TaskEither<TrainError, Sheet>,
  chosen: ChosenAverage,
): SheetOfStep<P> => {
  let last: { readonly step: number; readonly sheet: Sheet } | undefined
  return ({ step, state }) =>
    () =>
      last?.step === step
        ? TE.right<TrainError, Sheet>(last.sheet)()
        : pipe(
            draw(chosen.of(state)),
            TE.map((sheet) => {
              last = { step, sheet }
              return sheet
            }),
          )()
}

/** What draws, and how often. */
export interface SheetsOptions<P> {
  readonly draw: SheetOfStep<P>
  readonly every: number
  readonly emit: (event: TrainEvent) => void
}

/** With a smaller chance of so many copies, were nothing learned by heart, a person is told. */
const alarming = 0.01

/** Says once that more examples are copies than real ones would be called so. */
const copiesTold = (emit: (event: TrainEvent) => void): ((step: number, copies: Share | undefined) => void) => {
  let said = false
  return (step, copies) => {
    if (said || copies === undefined || copies.p >= alarming) return
    said = true
    emit({ _tag: 'Copied', step, ...copies })
  }
}

/** Draws a sheet every so many steps. */
export const sheetsSink = <P>(store: Store, { draw, every, emit }: SheetsOptions<P>): Sink<P> => {
  const tellCopies = copiesTold(emit)
  return {
    take: (report) =>
      isDue(report, every)
        ? pipe(
            draw(report),
            TE.bindTo('sheet'),
            TE.let('name', ({ sheet }) => `${names.samples}/step-${padded(report.step)}.${sheet.extension}`),
            TE.chainFirst(({ sheet, name }) => store.replace(name, sheet.bytes)),
            TE.map(({ sheet: { watch }, name }) => {
              const copies = watch === undefined ? {} : { copies: watch.copies.generated }
              emit({ _tag: 'Sampled', step: report.step, path: store.pathOf(name), ...copies })
              tellCopies(report.step, watch?.copies)
            }),
          )
        : nothing,
  }
}
