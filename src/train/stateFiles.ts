/** A training state as the files of a checkpoint, and back: safetensors whose names are the paths of the trees. */
import type { ArrayRecord } from '../io/arrayRecord.ts'
import { recordsOf, treeFrom } from '../io/params.ts'
import { readSafetensors, writeSafetensors } from '../io/safetensors.ts'
import { E, pipe } from '../prelude/fp.ts'
import type { Choices } from '../backends/backend.ts'
import { isRecord } from '../prelude/record.ts'
import type { Device } from '../tensor/device.ts'
import { leavesWithPaths } from '../tensor/tree.ts'
import { mapEach, type OneOrMore } from './averages.ts'
import type { TrainState } from './recipe.ts'

/** What a checkpoint says beside its tensors; every number of a run follows from these and the configuration. */
export interface Progress {
  /** Steps that are done. */
  readonly step: number
  /** Steps that the run was planned for, by which its rates went; runs of before did not say. */
  readonly steps?: number
  readonly seed: number
  /** SHA-256 of what determines the run's numbers. */
  readonly configHash: string
  /** The pictures' fingerprint. */
  readonly data: string
  /** The device's name. */
  readonly device: string
  /** Its choices: resumed with them, the run computes the same bits. */
  readonly machine?: Choices
  /** Which of several averages is drawn from, counted from 0; absent where there is one. */
  readonly average?: number
}

/** The file of a part of the state. */
const fileName = (part: string): string => `${part}.safetensors`

/** The file of an average: `average.safetensors`, and of further ones `average-2.safetensors`, … */
const averageName = (i: number): string => fileName(i === 0 ? 'average' : `average-${i + 1}`)

/** The parts of a state, each by the name of its file. */
const partsOf = <P>({ params, averages, opt, lossScale }: TrainState<P>): ReadonlyMap<string, unknown> =>
  new Map<string, unknown>([
    [fileName('params'), params],
    ...averages.map((average, i) => [averageName(i), average] as const),
    [fileName('opt'), opt],
    ...(lossScale === undefined ? [] : [[fileName('lossScale'), lossScale] as const]),
  ])

const stateName = 'state.json'

/** All files of a checkpoint. The same state gives the same bytes. */
export const stateToFiles = async <P>(
  device: Device,
  state: TrainState<P>,
  progress: Progress,
): Promise<ReadonlyMap<string, Uint8Array>> => {
  const files = new Map<string, Uint8Array>()
  for (const [name, part] of partsOf(state))
    files.set(name, writeSafetensors(await recordsOf(device, part), new Map([['format', 'fathom']])))
  return files.set(stateName, new TextEncoder().encode(`${JSON.stringify(progress, undefined, 2)}\n`))
}

const isText = (x: unknown): x is string => typeof x === 'string'
const isNumber = (x: unknown): x is number => typeof x === 'number'

/** Fields of {@link Progress}, and what each must be. */
const progressFields: { readonly [K in keyof Required<Progress>]: (x: unknown) => boolean } = {
  step: (x) => Number.isSafeInteger(x),
  steps: (x) => x === undefined || Number.isSafeInteger(x),
  seed: isNumber,
  configHash: isText,
  data: isText,
  device: isText,
  machine: (x) => x === undefined || isRecord(x), // the device looks into it when it is opened
  average: (x) => x === undefined || Number.isSafeInteger(x),
}

const isProgress = (x: unknown): x is Progress => {
  if (typeof x !== 'object' || x === null) return false
  const found = new Map<string, unknown>(Object.entries(x))
  return Object.entries(progressFields).every(([name, fits]) => fits(found.get(name)))
}

const parseProgress = (bytes: Uint8Array): E.Either<string, Progress> =>
  pipe(
    E.tryCatch(
      (): unknown => JSON.parse(new TextDecoder().decode(bytes)),
      () => `${stateName} is not JSON`,
    ),
    E.filterOrElse(isProgress, () => `${stateName} does not say step, seed, configHash, data and device`),
  )

const fileOf = (files: ReadonlyMap<string, Uint8Array>, name: string): E.Either<string, Uint8Array> =>
  E.fromNullable(`${name} is not in the checkpoint`)(files.get(name))

/** What a checkpoint says beside its tensors. */
export const progressIn = (files: ReadonlyMap<string, Uint8Array>): E.Either<string, Progress> =>
  pipe(fileOf(files, stateName), E.chain(parseProgress))

/** What in a file differs from the configuration's dtypes: a checkpoint holds what the run computed, and nothing of it is converted. */
const otherDType = (template: unknown, records: ReadonlyMap<string, ArrayRecord>): string | undefined => {
  for (const [path, { dtype }] of leavesWithPaths(template)) {
    const found = records.get(path)
    if (found !== undefined && found.dtype !== dtype)
      return `'${path}' is ${found.dtype}, the configuration makes it ${dtype}`
  }
  return undefined
}

/** The tree with its leaves taken from a file, which must hold exactly them. */
const treeIn = <T>(template: T, bytes: Uint8Array): E.Either<string, T> =>
  pipe(
    readSafetensors(bytes),
    E.chainFirstW(({ tensors }) => {
      const message = otherDType(template, tensors)
      return message === undefined ? E.right(undefined) : E.left({ message })
    }),
    E.chainW(({ tensors }) => treeFrom(template, tensors)),
    E.mapLeft(({ message }) => message),
  )

/** The Right of all, or the first Left. */
const eachOf = <P>(list: OneOrMore<P>, f: (x: P, i: number) => E.Either<string, P>): E.Either<string, OneOrMore<P>> => {
  const [first, ...rest] = mapEach(list, f)
  return pipe(
    first,
    E.chain((head) =>
      pipe(
        E.sequenceArray(rest),
        E.map((tail): OneOrMore<P> => [head, ...tail]),
      ),
    ),
  )
}

/**
 * The state in a checkpoint's files.
 *
 * @param template a state of the same structure, which need not be computed
 * @returns Left with what does not fit
 */
export const stateFromFiles = <P>(
  template: TrainState<P>,
  files: ReadonlyMap<string, Uint8Array>,
): E.Either<string, { readonly state: TrainState<P>; readonly progress: Progress }> => {
  const part = <T>(name: string, tree: T): E.Either<string, T> =>
    pipe(
      fileOf(files, name),
      E.chain((bytes) => treeIn(tree, bytes)),
      E.mapLeft((why) => `${name}: ${why}`),
    )
  return pipe(
    E.Do,
    E.bind('params', () => part(fileName('params'), template.params)),
    E.bind('averages', () => eachOf(template.averages, (average, i) => part(averageName(i), average))),
    E.bind('opt', () => part(fileName('opt'), template.opt)),
    E.bind('lossScale', () =>
      template.lossScale === undefined ? E.right(undefined) : part(fileName('lossScale'), template.lossScale),
    ),
    E.bind('progress', () =>
      pipe(
        progressIn(files),
        E.filterOrElse(
          ({ average = 0 }) => average in template.averages,
          ({ average }) => `${stateName}: it draws from average ${average} of ${template.averages.length}`,
        ),
      ),
    ),
    E.map(({ progress, lossScale, ...state }) => ({ state: { ...state, ...(lossScale && { lossScale }) }, progress })),
  )
}
