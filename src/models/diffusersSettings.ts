/** Configurations of diffusers: their settings by their names over their defaults, and what is unknown, said. */
import { expects, oneOf, record, type Decoder, type Fault, type Fields } from '../prelude/decode.ts'
import { E, pipe } from '../prelude/fp.ts'
import { isRecord } from '../prelude/record.ts'
import type { ActivationName } from './activations.ts'

/** What was read: their settings, and the names that mean nothing here. */
export interface Read<T> {
  readonly settings: T
  readonly ignored: readonly string[]
}

/** What is about something else than the network: the size of its pictures in training, and how PyTorch computes. */
const harmless: readonly string[] = ['sample_size', 'force_upcast']

/** Decodes what is known over the defaults; null is what is absent. Names that begin with _ say who wrote the file. */
export const overDefaults =
  <T extends object>(fields: Fields<T>, defaults: T) =>
  (json: unknown): E.Either<Fault, Read<T>> => {
    if (!isRecord(json)) return expects('a record of settings, as config.json of diffusers holds it')
    const given = Object.entries(json).filter(([name, value]) => value !== null && !name.startsWith('_'))
    const isKnown = (name: string): boolean => Object.hasOwn(fields, name)
    const ignored = given.map(([name]) => name).filter((name) => !isKnown(name) && !harmless.includes(name))
    const settings = { ...defaults, ...Object.fromEntries(given.filter(([name]) => isKnown(name))) }
    return pipe(
      record(fields)(settings),
      E.map((decoded) => ({ settings: decoded, ignored })),
    )
  }

/** What has one value here. */
export const only =
  <T>(value: T, words: string): Decoder<T> =>
  (x) =>
    x === value ? E.right(value) : expects(words)

const actFns = ['silu', 'swish', 'relu', 'gelu', 'mish'] as const

/** What diffusers calls an activation. */
export type ActFn = (typeof actFns)[number]

/** The name of an activation here. */
export const activationOf = (name: ActFn): ActivationName => (name === 'swish' ? 'silu' : name)

/** The activation of a block, as diffusers names it. */
export const actFn: Decoder<ActFn> = oneOf(...actFns)
