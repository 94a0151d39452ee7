/**
 * The JSON header of a safetensors file, read token by token.
 *
 * Why not `JSON.parse`: it keeps the last of two equal keys, turns 9007199254740993 into …992 and 1e400 into
 * Infinity, and hands out objects whose `__proto__` key is a trap. This reader knows the one schema that is allowed,
 * needs no recursion, and so cannot run out of stack. Source: the "Format" section of
 * https://github.com/huggingface/safetensors (README).
 */
import { E } from '../prelude/fp.ts'
import { printable } from '../prelude/printable.ts'
import { keysOf } from '../prelude/record.ts'
import type { RecordDType } from './arrayRecord.ts'

/** What can be wrong with a safetensors file; one code for each rule. */
export type SafetensorsCode =
  | 'ST-SHORT'
  | 'ST-HEADER-LIMIT'
  | 'ST-HEADER-TRUNCATED'
  | 'ST-BOM'
  | 'ST-UTF8'
  | 'ST-JSON'
  | 'ST-NOT-OBJECT'
  | 'ST-DUPLICATE'
  | 'ST-METADATA'
  | 'ST-ENTRY'
  | 'ST-DTYPE'
  | 'ST-SHAPE'
  | 'ST-OVERFLOW'
  | 'ST-OFFSETS'
  | 'ST-OVERLAP'
  | 'ST-HOLE'
  | 'ST-SIZE'
  | 'ST-SUB-BYTE'
  | 'ST-TRUNCATED'
  | 'ST-TRAILING'
  | 'ST-TOO-MANY'

/** A file that is not safetensors: which rule it breaks, and where. */
export type SafetensorsError = {
  readonly _tag: 'SafetensorsError'
  readonly code: SafetensorsCode
  readonly message: string
}

/** One line of the header: `data_offsets` count from the start of the data section, end exclusive. */
export type HeaderEntry = {
  readonly name: string
  readonly dtype: RecordDType
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

/** The header, in the order of the file. */
export type Header = { readonly entries: readonly HeaderEntry[]; readonly metadata: ReadonlyMap<string, string> }

/** The name under which safetensors writes each dtype. */
export const dtypeNames: { readonly [K in RecordDType]: string } = {
  f64: 'F64',
  f32: 'F32',
  f16: 'F16',
  i32: 'I32',
  u32: 'U32',
  u8: 'U8',
  bool: 'BOOL',
  BF16: 'BF16',
  I64: 'I64',
  U64: 'U64',
  I16: 'I16',
  U16: 'U16',
  I8: 'I8',
  C64: 'C64',
  F8_E4M3: 'F8_E4M3',
  F8_E5M2: 'F8_E5M2',
  F8_E8M0: 'F8_E8M0',
  F6_E2M3: 'F6_E2M3',
  F6_E3M2: 'F6_E3M2',
  F4: 'F4',
}

const dtypesByName = new Map(keysOf(dtypeNames).map((dtype) => [dtypeNames[dtype], dtype]))

/** Axes that a tensor may have: ours; the format names no limit, NumPy's is 64. */
const maxRank = 64

/** Builds the error record. */
export const safetensorsError = (code: SafetensorsCode, message: string): SafetensorsError => ({
  _tag: 'SafetensorsError',
  code,
  message: `not a valid safetensors file: ${message}`,
})

/**
 * Carries a refusal out of the nested readers to `parseHeader`, which turns it into a Left; it never leaves this file.
 */
class Refusal extends Error {
  readonly reason: SafetensorsError
  constructor(reason: SafetensorsError) {
    super(reason.message)
    this.reason = reason
  }
}

const refuse = (code: SafetensorsCode, message: string): never => {
  throw new Refusal(safetensorsError(code, message))
}

/** A name, shortened and escaped for a message, which may reach a terminal. */
export const quoted = (name: string): string =>
  printable(JSON.stringify(name.length > 80 ? `${name.slice(0, 77)}...` : name))

/** A position in the header's text. Mutable: the readers below advance it. */
type Cursor = { readonly text: string; at: number }

const isSpace = (code: number): boolean => code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d

/** Skips white space and returns the character there, '' at the end. */
const peek = (c: Cursor): string => {
  while (isSpace(c.text.charCodeAt(c.at))) c.at++
  return c.text.charAt(c.at)
}

const expect = (c: Cursor, token: string): void => {
  const found = peek(c)
  if (found !== token)
    refuse(
      'ST-JSON',
      `expected ${token} at character ${c.at} of the header, found ${found === '' ? 'its end' : quoted(found)}`,
    )
  c.at++
}

/** Reads `"…"` with its escapes; refuses control characters and lone surrogates, which UTF-8 cannot hold. */
const readString = (c: Cursor): string => {
  expect(c, '"')
  const start = c.at - 1
  for (;;) {
    const code = c.text.charCodeAt(c.at)
    if (Number.isNaN(code)) refuse('ST-JSON', `a string that starts at character ${start} of the header does not end`)
    if (code < 0x20) refuse('ST-JSON', `a control character stands in a string at character ${c.at} of the header`)
    c.at += code === 0x5c ? 2 : 1
    if (code === 0x22) break
  }
  return unescape(c.text.slice(start, c.at), start)
}

const unescape = (literal: string, start: number): string => {
  if (!literal.includes('\\')) return literal.slice(1, -1)
  const parsed = E.tryCatch(
    () => JSON.parse(literal) as unknown,
    () => undefined,
  )
  if (E.isLeft(parsed) || typeof parsed.right !== 'string')
    return refuse('ST-JSON', `a string at character ${start} of the header has a bad escape`)
  return /[\ud800-\udfff]/u.test(parsed.right)
    ? refuse('ST-JSON', `a string at character ${start} of the header has half a surrogate pair`)
    : parsed.right
}

/** Reads `{ "key": value, … }`, calling `member` with the cursor at each value; refuses a key that came before. */
const readObject = (c: Cursor, where: string, member: (key: string) => void): void => {
  const seen = new Set<string>()
  expect(c, '{')
  if (peek(c) === '}') {
    c.at++
    return
  }
  for (;;) {
    const key = readString(c)
    if (seen.has(key)) refuse('ST-DUPLICATE', `${where} has the key ${quoted(key)} twice`)
    seen.add(key)
    expect(c, ':')
    member(key)
    if (peek(c) === '}') break
    expect(c, ',')
  }
  c.at++
}

/** Reads an integer in 0 … 2⁵³ − 1, judged by its text: `1.0`, `1e2`, `-0` and 9007199254740992 are refused. */
const readInteger = (c: Cursor, code: SafetensorsCode, where: string): number => {
  peek(c)
  const token = /[^\s,\]}]*/y
  token.lastIndex = c.at
  const text = token.exec(c.text)?.[0] ?? ''
  const value = Number(text)
  if (!/^(0|[1-9][0-9]*)$/.test(text) || !Number.isSafeInteger(value)) {
    return refuse(code, `${where} has ${quoted(text)}, which is not an integer from 0 to 2^53 - 1`)
  }
  c.at += text.length
  return value
}

const readIntegers = (c: Cursor, code: SafetensorsCode, where: string, limit: number): readonly number[] => {
  if (peek(c) !== '[') refuse(code, `${where} is not an array`)
  c.at++
  const values: number[] = []
  if (peek(c) !== ']') {
    for (;;) {
      if (values.length === limit) refuse(code, `${where} has more than ${limit} numbers`)
      values.push(readInteger(c, code, where))
      if (peek(c) === ']') break
      expect(c, ',')
    }
  }
  c.at++
  return values
}

const readDType = (c: Cursor, where: string): RecordDType => {
  if (peek(c) !== '"') refuse('ST-DTYPE', `the dtype of ${where} is not a string`)
  const name = readString(c)
  return dtypesByName.get(name) ?? refuse('ST-DTYPE', `${where} has the unknown dtype ${quoted(name)}`)
}

const readOffsets = (c: Cursor, where: string): readonly [number, number] => {
  const [begin, end, ...rest] = readIntegers(c, 'ST-OFFSETS', `data_offsets of ${where}`, 2)
  if (begin === undefined || end === undefined || rest.length > 0)
    return refuse('ST-OFFSETS', `data_offsets of ${where} are not two numbers`)
  return begin <= end
    ? [begin, end]
    : refuse('ST-OFFSETS', `data_offsets of ${where} begin at ${begin}, after their end ${end}`)
}

const readEntry = (c: Cursor, name: string): HeaderEntry => {
  const where = `tensor ${quoted(name)}`
  if (peek(c) !== '{') refuse('ST-ENTRY', `${where} is not an object with dtype, shape and data_offsets`)
  let dtype: RecordDType | undefined
  let shape: readonly number[] | undefined
  let offsets: readonly [number, number] | undefined
  readObject(c, where, (key) => {
    if (key === 'dtype') dtype = readDType(c, where)
    else if (key === 'shape') shape = readIntegers(c, 'ST-SHAPE', `the shape of ${where}`, maxRank)
    else if (key === 'data_offsets') offsets = readOffsets(c, where)
    else refuse('ST-ENTRY', `${where} has the unknown field ${quoted(key)}`)
  })
  if (dtype === undefined || shape === undefined || offsets === undefined) {
    return refuse('ST-ENTRY', `${where} lacks dtype, shape or data_offsets`)
  }
  return { name, dtype, shape, begin: offsets[0], end: offsets[1] }
}

const readMetadata = (c: Cursor, maxEntries: number): ReadonlyMap<string, string> => {
  const metadata = new Map<string, string>()
  if (peek(c) !== '{') refuse('ST-METADATA', '__metadata__ is not an object')
  readObject(c, '__metadata__', (key) => {
    if (metadata.size === maxEntries) refuse('ST-TOO-MANY', `more than ${maxEntries} entries in __metadata__`)
    if (peek(c) !== '"') refuse('ST-METADATA', `__metadata__ key ${quoted(key)} does not hold a string`)
    metadata.set(key, readString(c))
  })
  return metadata
}

const readHeader = (c: Cursor, maxEntries: number): Header => {
  const entries: HeaderEntry[] = []
  let metadata: ReadonlyMap<string, string> = new Map()
  const first = peek(c)
  if (first !== '{' && first !== '' && '["-0123456789tfn'.includes(first))
    refuse('ST-NOT-OBJECT', 'the header is JSON but not an object')
  readObject(c, 'the header', (key) => {
    if (key === '__metadata__') metadata = readMetadata(c, maxEntries)
    else if (entries.length === maxEntries) refuse('ST-TOO-MANY', `more than ${maxEntries} tensors`)
    else entries.push(readEntry(c, key))
  })
  if (peek(c) !== '') refuse('ST-JSON', `text follows the header's object at character ${c.at}`)
  return { entries, metadata }
}

/**
 * Reads the header's text. White space (space, tab, CR, LF) is allowed anywhere between tokens, before the first `{`
 * too, as the reference reader allows it; unknown fields of an entry are refused, which the reference reader ignores.
 *
 * @param text the decoded header, without its 8 length bytes
 * @param maxEntries most tensors, and most metadata entries, that are accepted
 */
export const parseHeader = (text: string, maxEntries: number): E.Either<SafetensorsError, Header> => {
  try {
    return E.right(readHeader({ text, at: 0 }, maxEntries))
  } catch (fault) {
    if (fault instanceof Refusal) return E.left(fault.reason)
    throw fault
  }
}
