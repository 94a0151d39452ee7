/** The feature spaces that `--features` names: those that are shipped, and one whose weights a package brings. */
import { featureSpaces, mobilenetSpace, type FeatureSpace, type PackagedModel } from '../evaluation/index.ts'
import { E, pipe, TE } from '../prelude/fp.ts'
import { suggestion } from '../prelude/nearest.ts'
import { isRecord, keysOf } from '../prelude/record.ts'
import type { FlagValue } from './parse.ts'
import type { Outcome } from './outcome.ts'

/** The module that brings the weights, and how to come by it. TensorFlow.js, its peer, is not needed here. */
const packaged = {
  module: 'nsfwjs/models/mobilenet_v2',
  install: 'npm install --legacy-peer-deps nsfwjs@4.3.0',
} as const

const isPackagedModel = (model: unknown): model is PackagedModel =>
  isRecord(model) &&
  typeof model['modelJson'] === 'function' &&
  Array.isArray(model['weightBundles']) &&
  model['weightBundles'].every((load) => typeof load === 'function')

/** How a module is imported; tests give another. */
export type ImportModule = (module: string) => Promise<unknown>

const importModule: ImportModule = (module) => import(module)

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''

/** The space of the package, or in one line why there is none. */
const loadMobilenet =
  (load: ImportModule): TE.TaskEither<Outcome, FeatureSpace> =>
  async () => {
    const failed = (why: string): E.Either<Outcome, never> => E.left({ code: 1, message: why })
    const module = await load(packaged.module).catch(() => undefined)
    const model = isRecord(module) ? module['MobileNetV2Model'] : undefined
    if (!isPackagedModel(model))
      return failed(
        `--features mobilenet takes its weights from the package nsfwjs, which ${module === undefined ? 'is not here' : 'has none of that form'}: ${packaged.install}`,
      )
    try {
      return E.right(await mobilenetSpace(model))
    } catch (error) {
      return failed(messageOf(error))
    }
  }

const spaces = (load: ImportModule): Readonly<Record<string, TE.TaskEither<Outcome, FeatureSpace>>> => ({
  ...Object.fromEntries(keysOf(featureSpaces).map((name) => [name, TE.right(featureSpaces[name])])),
  mobilenet: loadMobilenet(load),
})

/** The feature spaces that a flag names, parted by commas; those that are shipped where there is none. */
export const spacesOf = (
  flag: FlagValue | undefined,
  load: ImportModule = importModule,
): TE.TaskEither<Outcome, readonly FeatureSpace[]> => {
  if (typeof flag !== 'string') return TE.right(Object.values(featureSpaces))
  const known = spaces(load)
  const names = [...new Set(flag.split(',').map((name) => name.trim()))]
  const other = names.find((name) => !Object.hasOwn(known, name))
  const all = Object.keys(known)
  return other === undefined
    ? pipe(
        names.flatMap((name) => known[name] ?? []),
        TE.sequenceSeqArray,
      )
    : TE.left({
        code: 2,
        message: `--features must be some of ${all.join(', ')}, parted by commas, got '${other}'${suggestion(other, all)}`,
      })
}
