/** What the page and its Worker tell each other, as plain data. */
import { devices, isOneOf, sizes, type Settings } from './settings.ts'

/** What the page asks the Worker to do. */
export type Command =
  /** Opens a device, in the place of the one that is open. */
  | { readonly kind: 'open'; readonly device: Settings['device'] }
  /** Begins a run: on these pictures, or without any on procedural seas. */
  | { readonly kind: 'start'; readonly settings: Settings; readonly files: readonly File[] }
  /** Finishes the step, and makes no other. */
  | { readonly kind: 'stop' }
  | { readonly kind: 'continue' }
  /** Draws a sheet from noise that was not used yet. */
  | { readonly kind: 'draw' }
  /** Makes a file of the averaged weights. */
  | { readonly kind: 'save' }

/** A picture that cannot be read, and why. */
export interface Skipped {
  readonly name: string
  readonly why: string
}

/** Pictures of one size: bytes [count, side, side, 3]. */
export interface Sheet {
  readonly side: number
  readonly count: number
  readonly bytes: Uint8Array
}

/** What the Worker tells. */
export type Told =
  /** The device that computes from now on, in one line. */
  | { readonly kind: 'opened'; readonly description: string }
  /** What it is busy with before the first step. */
  | { readonly kind: 'preparing'; readonly what: string }
  | {
      readonly kind: 'started'
      readonly steps: number
      /** Steps from one sheet of samples to the next. */
      readonly sampleEvery: number
      readonly parameters: number
      readonly memory: number
      /** One line about the pictures. */
      readonly data: string
      readonly skipped: readonly Skipped[]
      readonly warnings: readonly string[]
    }
  | { readonly kind: 'stepped'; readonly step: number; readonly loss: number; readonly seconds: number }
  /** The loss on pictures that were held out, and that as a multiple of the best constant guess. */
  | { readonly kind: 'measured'; readonly step: number; readonly loss: number; readonly relative: number }
  | { readonly kind: 'drawing'; readonly done: number; readonly total: number }
  /** Real pictures, or what the network draws after so many steps. */
  | { readonly kind: 'real'; readonly sheet: Sheet }
  | { readonly kind: 'drawn'; readonly step: number; readonly sheet: Sheet }
  /** The run rests: at its end, or because it was told to. */
  | { readonly kind: 'rested'; readonly step: number }
  | { readonly kind: 'saved'; readonly name: string; readonly bytes: Uint8Array }
  /** Something failed, in plain words. Whether the run, if there is one, can go on. */
  | { readonly kind: 'failed'; readonly why: string; readonly goesOn: boolean }

/** Any record. */
type Fields = Readonly<Record<string, unknown>>

/** Whether a value is what a field must be. */
type Check = (value: unknown) => boolean

const isRecord = (value: unknown): value is Fields => typeof value === 'object' && value !== null

const isText: Check = (value) => typeof value === 'string'
const isNumber: Check = (value) => typeof value === 'number'
const isFlag: Check = (value) => typeof value === 'boolean'
const isBytes: Check = (value) => value instanceof Uint8Array
const isWhole: Check = (value) => Number.isInteger(value)

const isDevice: Check = (value) => typeof value === 'string' && isOneOf(devices, value)

const list =
  (each: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(each)

const record =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isRecord(value) && Object.entries(fields).every(([name, check]) => check(value[name]))

const isSettings = record({
  device: isDevice,
  side: (value) => typeof value === 'number' && Object.hasOwn(sizes, value),
  steps: isWhole,
  sampleEvery: isWhole,
  sampleSteps: isWhole,
  seed: isWhole,
} satisfies { readonly [K in keyof Settings]: Check })

const isSkipped = record({ name: isText, why: isText } satisfies { readonly [K in keyof Skipped]: Check })

const isSheet: Check = (value) =>
  record({ side: isWhole, count: isWhole, bytes: isBytes })(value) &&
  isRecord(value) &&
  value['bytes'] instanceof Uint8Array &&
  value['bytes'].length === Number(value['count']) * Number(value['side']) ** 2 * 3

/** What the fields of each message must be, beside its kind: the compiler sees that none is missing. */
type Checks<M extends { readonly kind: string }> = {
  readonly [K in M['kind']]: { readonly [F in Exclude<keyof Extract<M, { readonly kind: K }>, 'kind'>]: Check }
}

const commands: Checks<Command> = {
  open: { device: isDevice },
  start: { settings: isSettings, files: list((value) => value instanceof Blob) },
  stop: {},
  continue: {},
  draw: {},
  save: {},
}

const told: Checks<Told> = {
  opened: { description: isText },
  preparing: { what: isText },
  started: {
    steps: isWhole,
    sampleEvery: isWhole,
    parameters: isWhole,
    memory: isNumber,
    data: isText,
    skipped: list(isSkipped),
    warnings: list(isText),
  },
  stepped: { step: isWhole, loss: isNumber, seconds: isNumber },
  measured: { step: isWhole, loss: isNumber, relative: isNumber },
  drawing: { done: isWhole, total: isWhole },
  real: { sheet: isSheet },
  drawn: { step: isWhole, sheet: isSheet },
  rested: { step: isWhole },
  saved: { name: isText, bytes: isBytes },
  failed: { why: isText, goesOn: isFlag },
}

/** Whether a value is a message of a table. */
const isMessage = <M extends { readonly kind: string }>(table: Checks<M>, value: unknown): value is M => {
  const known: Readonly<Record<string, Readonly<Record<string, Check>>>> = table
  if (!isRecord(value) || typeof value['kind'] !== 'string' || !Object.hasOwn(known, value['kind'])) return false
  return record(known[value['kind']] ?? {})(value)
}

const inWords = (value: unknown): string =>
  isRecord(value) && typeof value['kind'] === 'string' ? `a message '${value['kind']}'` : String(value)

/** A command, of what arrived in the Worker. @throws TypeError for what is none */
export const decodeCommand = (value: unknown): Command => {
  if (isMessage(commands, value)) return value
  throw new TypeError(`the page sent ${inWords(value)}, which is no command: are page and Worker of one build?`)
}

/** What the Worker told, of what arrived in the page. @throws TypeError for what is none */
export const decodeTold = (value: unknown): Told => {
  if (isMessage(told, value)) return value
  throw new TypeError(`the Worker sent ${inWords(value)}, which the page does not know: are they of one build?`)
}
