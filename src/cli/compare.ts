/** The command `compare`: which of two runs draws pictures that are nearer to real ones. */
import { compareSets, type Comparison, type Relative } from '../evaluation/index.ts'
import { E, pipe, TE } from '../prelude/fp.ts'
import { printableJson } from '../prelude/printable.ts'
import { orDeviceError } from '../train/deviceErrors.ts'
import { ensuring } from '../train/ensuring.ts'
import type { TrainError } from '../train/index.ts'
import { realSurroundings } from '../train/recovery.ts'
import { drawn, type Drawn } from './eval.ts'
import { spacesOf } from './featureSpaces.ts'
import type { FlagValue } from './parse.ts'
import { numberOf, wayFlags } from './pictures.ts'
import { failedWith, type Outcome } from './outcome.ts'
import { deviceOptionsOf } from './settings.ts'
import { grouped } from './show.ts'
import { say } from './terminal.ts'

type Flags = ReadonlyMap<string, FlagValue>

/** What both runs have drawn. */
interface Both {
  readonly first: Drawn
  readonly second: Drawn
}

const requireOneSize = ({ first, second }: Both): E.Either<TrainError, void> => {
  const [one, other] = [first.samples, second.samples]
  return one.height === other.height && one.width === other.width
    ? E.right(undefined)
    : E.left({
        _tag: 'TrainError',
        code: 'CFG',
        message: `the runs are of pictures of ${one.height}×${one.width} and of ${other.height}×${other.width}: only pictures of one size compare`,
      })
}

/** A score of both sets, and the chance of such a difference, as a row of cells. */
const rowOf = (
  space: string,
  name: string,
  { first, second, p }: Relative,
  show: (value: number) => string,
): readonly string[] => [space, name, show(first), show(second), p.toFixed(3)]

/** Columns of words to the left, of numbers to the right. */
const table = (rows: readonly (readonly string[])[]): string => {
  const widthOf = (c: number): number => Math.max(...rows.map((row) => row[c]?.length ?? 0))
  const cell = (text: string, c: number): string => (c < 2 ? text.padEnd(widthOf(c)) : text.padStart(widthOf(c)))
  return rows.map((row) => `  ${row.map(cell).join('  ')}`).join('\n')
}

/** Which run is nearer, in a sentence. @param names of both runs */
const verdict = ({ nearer, spaces }: Comparison, names: readonly [string, string]): string => {
  const many = Object.keys(spaces).length
  const everywhere = many === 1 ? 'in the feature space' : `in all ${many} feature spaces`
  if (nearer === undefined)
    return `Neither is surely nearer to real pictures ${everywhere}: draw more (--count), or take them for equal.`
  return `${nearer === 'first' ? names[0] : names[1]} draws pictures that are nearer to real ones, ${everywhere}.`
}

const printed = (comparison: Comparison, names: readonly [string, string]): string => {
  const { spaces, count } = comparison
  const rows = Object.entries(spaces).flatMap(([space, { kernel, nearest }]) => [
    rowOf(space, 'kernel distance', kernel, (value) => value.toFixed(4)),
    rowOf(space, 'told from real by its neighbour', nearest, (value) => `${(100 * value).toFixed(1)} %`),
  ])
  return [
    `\n  ${grouped(count)} pictures of each, against as many real ones; less is nearer, p is the chance of such a difference\n`,
    table([['features', '', ...names, 'p'], ...rows]),
    `\n  ${verdict(comparison, names)}\n`,
  ].join('\n')
}

/** `fathom compare`. */
export const runCompare = async (directory: string, flags: Flags): Promise<Outcome> => {
  const other = flags.get('with')
  if (typeof other !== 'string')
    return { code: 2, message: `\`fathom compare\` needs another run: fathom compare ${directory} --with DIRECTORY` }
  const spaces = await spacesOf(flags.get('features'))()
  if (E.isLeft(spaces)) return spaces.left
  const device = flags.get('device')
  const compared = ({ first, second }: Both): TE.TaskEither<TrainError, Comparison> =>
    pipe(
      realSurroundings.open(typeof device === 'string' ? device : first.run.config.device, deviceOptionsOf(flags)),
      TE.chain((opened) =>
        pipe(
          TE.fromTask<Comparison, TrainError>(() =>
            compareSets(opened, {
              first: first.samples,
              second: second.samples,
              training: first.training,
              spaces: spaces.right,
              seed: numberOf(flags, 'seed', 0),
            }),
          ),
          orDeviceError(opened.name),
          ensuring(() => opened.close()),
        ),
      ),
    )
  return pipe(
    TE.Do,
    TE.bind('first', () => drawn(directory, flags)),
    TE.bind('second', () => drawn(other, flags)),
    TE.chainFirstEitherK(requireOneSize),
    TE.chain(compared),
    TE.match(failedWith(['count', 'seed', ...wayFlags]), (comparison): Outcome => {
      say(
        flags.has('json')
          ? printableJson(JSON.stringify(comparison, null, 2))
          : printed(comparison, [directory, other]),
      )
      return { code: 0 }
    }),
  )()
}
