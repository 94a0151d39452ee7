/**
 * Stack traces that begin with the user's line. A mistake is in the program that calls the library, and the frames in between, often more
 * than the ten that V8 keeps, say nothing about it.
 */

/** A line of a stack trace, taken apart. */
interface Frame {
  /** The file as a path or an address, without `file://`. */
  readonly file: string
  readonly line: string
  readonly column: string
}

/** Where the library lies, told from where this file does: its folder, and beside `dist` the sources that source maps name. */
export interface Library {
  readonly folders: readonly string[]
  /** Whether it runs from its sources: then whoever runs it works on it, and wants its frames. */
  readonly isSource: boolean
}

const withoutScheme = (url: string): string => url.replace(/^file:\/\//, '')

/** The library whose `prelude/stack` is at this address; undefined in a bundle, where its code lies in one file with the user's. */
export const libraryAt = (url: string): Library | undefined => {
  const found = /^(.*\/)([^/]+)\/prelude\/stack\.([jt])s$/.exec(withoutScheme(url))
  if (found === null) return undefined
  const [, parent = '', folder = '', extension] = found
  const siblings = folder === 'dist' || folder === 'src' ? ['dist', 'src'] : [folder]
  return { folders: siblings.map((name) => `${parent}${name}/`), isSource: extension === 't' }
}

const library = libraryAt(import.meta.url)

/** V8 writes `at f (file:1:2)` or `at file:1:2`; other engines `f@file:1:2`. */
const parse = (text: string): Frame | undefined => {
  const found = /^\s*at (?:.* \()?(.*?):(\d+):(\d+)\)?$/.exec(text) ?? /^[^@]*@(.*):(\d+):(\d+)$/.exec(text)
  if (found === null) return undefined
  const [, file = '', line = '', column = ''] = found
  return { file: withoutScheme(file.replace(/^async /, '')), line, column }
}

const isIn = ({ file }: Frame, { folders }: Library): boolean => folders.some((folder) => file.startsWith(folder))

/** Whether a person wrote what the frame points to: neither the library nor the engine. */
const isUsers = (frame: Frame | undefined, of: Library | undefined): boolean =>
  frame !== undefined &&
  !/^(?:node:|internal\/|<anonymous>|native)/.test(frame.file) &&
  (of === undefined || !isIn(frame, of))

const isBuiltIn = (text: string): boolean => /^\s+at .*\(<anonymous>\)$/.test(text)

/** The stack trace without the library's frames; as it is where nothing of the user's would be left. */
export const withoutLibrary = (stack: string, of: Library | undefined = library): string => {
  if (of === undefined) return stack
  const lines = stack.split('\n').map((text) => ({ text, frame: parse(text) }))
  if (!lines.some(({ frame }) => isUsers(frame, of))) return stack
  const isLibrarys = (i: number): boolean => {
    const line = lines[i]
    if (line === undefined) return false
    if (line.frame !== undefined) return isIn(line.frame, of)
    return isBuiltIn(line.text) && isLibrarys(i + 1) // Array.reduce is whose who called it
  }
  return lines
    .filter((_, i) => !isLibrarys(i))
    .map(({ text }) => text)
    .join('\n')
}

/** What Node and pages share is typed without Node's `process`. */
const host: {
  readonly isNaN: (x: number) => boolean // one that all have: a type of optional fields alone would fit nothing
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>>; cwd?: () => string }
} = globalThis

/** `train.ts:12:30`: the first line of the user's in a stack trace, relative to the working directory where there is one. */
export const userLine = (stack: string, of: Library | undefined = library): string | undefined => {
  const frame = stack
    .split('\n')
    .map(parse)
    .find((frame) => isUsers(frame, of))
  if (frame === undefined) return undefined
  const here = `${host.process?.cwd?.() ?? ''}/`
  const file = here !== '/' && frame.file.startsWith(here) ? frame.file.slice(here.length) : frame.file
  return `${file}:${frame.line}:${frame.column}`
}

/** A function of which, and of what it called, a stack trace shows nothing. */
type Mark = (...args: never[]) => unknown

/** What engines add to `Error`; pages are typed without it. */
const engine: {
  readonly prototype: Error
  stackTraceLimit?: number
  captureStackTrace?: (target: object, below?: Mark) => void
} = Error

/** Frames that are kept where the user's line is looked for behind the library's: a model of models is some forty deep. */
const deep = 100

/** `f()`, while errors keep `frames` frames. */
const withFrames = <T>(frames: number, f: () => T): T => {
  const before = engine.stackTraceLimit
  if (before === undefined) return f()
  engine.stackTraceLimit = frames
  try {
    return f()
  } finally {
    engine.stackTraceLimit = before
  }
}

/** Lets the stack trace of a new error begin with the user's line. FATHOM_STACK=full, or running from source, leaves the library's frames in. */
export const beginAtUser = <E extends Error>(error: E): E => {
  const capture = engine.captureStackTrace
  if (capture === undefined) return error
  deepStack(() => {
    capture(error, beginAtUser) // not this function itself
  })
  if (library?.isSource === false && host.process?.env?.['FATHOM_STACK'] !== 'full' && error.stack !== undefined)
    error.stack = withoutLibrary(error.stack)
  return error
}

/** `f()`, whose errors keep enough frames to reach the user's line. */
export const deepStack = <T>(f: () => T): T => withFrames(Math.max(deep, engine.stackTraceLimit ?? deep), f)

/** Where a program stands, to be shown later: taking it costs half a microsecond a frame, and no text is made before it is asked for. */
export interface Site {
  readonly trace: { readonly stack?: string }
}

/** The place from which `below` was called, with `frames` frames above it. */
export const siteAbove = (below: Mark, frames: number): Site => {
  const { captureStackTrace: capture, stackTraceLimit: before } = engine
  if (capture === undefined || before === undefined) return { trace: new Error() }
  const trace = {}
  engine.stackTraceLimit = frames
  capture(trace, below)
  engine.stackTraceLimit = before
  return { trace }
}

/** `train.ts:12:30`, or undefined where no frame of the user's was kept. */
export const showSite = ({ trace }: Site): string | undefined => userLine(trace.stack ?? '')
