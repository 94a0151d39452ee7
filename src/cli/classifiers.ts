/** The commands `train-classifier` and `classify`. */
import { pipe, TE } from '../prelude/fp.ts'
import { printableJson } from '../prelude/printable.ts'
import { classesIn, classifierConfigOf, classify, labelsIn, type Answer, type Answers } from '../train/index.ts'
import { beginBy, type Begin } from './beginning.ts'
import { failed, failedWith, type Outcome } from './outcome.ts'
import type { FlagValue } from './parse.ts'
import { numberOf } from './pictures.ts'
import { deviceOptionsOf } from './settings.ts'
import { pictures as counted } from './show.ts'
import { note, say } from './terminal.ts'

/** `fathom train-classifier`. */
export const runTrainClassifier: Begin = beginBy({
  command: 'train-classifier',
  suffix: '-classes',
  configOf: classifierConfigOf,
  complete: (folder, settings) =>
    pipe(
      folder === undefined
        ? pipe(
            labelsIn(null),
            TE.map((names) => ({ names, notes: [] })),
          )
        : classesIn(folder),
      TE.bimap(failed, ({ names, notes }) => ({ settings: { ...settings, labels: names }, notes })),
    ),
})

/** The classes of a picture with their probabilities, the likeliest first. */
const ranked = (probabilities: Readonly<Record<string, number>>): readonly (readonly [string, number])[] =>
  Object.entries(probabilities).toSorted(([, a], [, b]) => b - a)

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

/** What is said of each picture, for a program. */
const asJson = (answers: readonly Answer[]): string =>
  JSON.stringify(
    answers.map((answer) => ('fault' in answer ? answer : { ...answer, class: ranked(answer.probabilities)[0]?.[0] })),
    undefined,
    2,
  )

/** A line for each picture that could be read, in columns. */
const inWords = (answers: readonly Answer[], top: number): readonly string[] => {
  const read = answers.flatMap((answer) => ('fault' in answer ? [] : [answer]))
  const rows = read.map(({ picture, probabilities }) => ({
    picture,
    said: ranked(probabilities)
      .slice(0, top)
      .map(([name, share]) => ({ name, share: percent(share) })),
  }))
  const longest = (texts: readonly string[]): number => Math.max(0, ...texts.map((text) => [...text].length))
  const said = rows.flatMap((row) => row.said)
  const [first, name, share] = [
    longest(rows.map(({ picture }) => picture)),
    longest(said.map((one) => one.name)),
    longest(said.map((one) => one.share)),
  ]
  return rows.map((row) => {
    const classes = row.said.map((one) => `${one.name.padEnd(name)} ${one.share.padStart(share)}`)
    return `  ${row.picture.padEnd(first)}  ${classes.join('   ')}`
  })
}

const tellOf =
  (flags: ReadonlyMap<string, FlagValue>, top: number) =>
  ({ answers, warnings }: Answers): Outcome => {
    for (const warning of warnings) note(warning)
    const faults = answers.flatMap((answer) => ('fault' in answer ? [answer.fault] : []))
    for (const fault of faults) note(fault)
    if (flags.has('json')) say(printableJson(asJson(answers)))
    else for (const line of inWords(answers, top)) say(line)
    return faults.length === 0
      ? { code: 0 }
      : { code: 1, message: `${counted(faults.length)} of ${answers.length} cannot be read` }
  }

/** `fathom classify`. */
export const runClassify = (
  directory: string,
  files: readonly string[],
  flags: ReadonlyMap<string, FlagValue>,
): Promise<Outcome> => {
  const [top, weights, device] = [numberOf(flags, 'top', 3), flags.get('weights'), flags.get('device')]
  if (!(Number.isInteger(top) && top >= 1))
    return Promise.resolve({ code: 2, message: `--top must be a whole number ≥ 1, got ${top}` })
  return pipe(
    classify(directory, files, {
      ...(typeof weights === 'string' && { weights }),
      ...(typeof device === 'string' && { device }),
      deviceOptions: deviceOptionsOf(flags),
    }),
    TE.match(failedWith(['weights']), tellOf(flags, top)),
  )()
}
