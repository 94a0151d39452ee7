import fc from 'fast-check'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bitsPerElement, toFloat32, type ArrayRecord, type RecordDType } from '../../src/io/arrayRecord.ts'
import { readSafetensorsFile, writeSafetensorsFile } from '../../src/io/safetensors.node.ts'
import { readSafetensors, writeSafetensors, type SafetensorsCode } from '../../src/io/safetensors.ts'
import { E } from '../../src/prelude/fp.ts'
import { temporaryFolders } from '../support/temporaryFolder.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A file from a header (text or bytes), `data` zero bytes, and optionally a header length that lies. */
const file = (header: string | Uint8Array, data = 0, length?: bigint): Uint8Array => {
  const head = typeof header === 'string' ? utf8(header) : header
  const bytes = new Uint8Array(8 + head.length + data)
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(head.length), true)
  bytes.set(head, 8)
  return bytes
}

const entry = (dtype: string, shape: string, offsets: string): string =>
  `{"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}}`
const one = (dtype: string, shape: string, offsets: string, data: number): Uint8Array =>
  file(`{"a":${entry(`"${dtype}"`, shape, offsets)}}`, data)
const u8 = (name: string, begin: number, end: number): string =>
  `"${name}":${entry('"U8"', `[${end - begin}]`, `[${begin},${end}]`)}`

const refused: readonly (readonly [title: string, code: SafetensorsCode, bytes: Uint8Array])[] = [
  ['an empty file', 'ST-SHORT', new Uint8Array(0)],
  ['a file of 7 bytes', 'ST-SHORT', new Uint8Array(7)],
  ['a header length of 100,000,001', 'ST-HEADER-LIMIT', file('{}', 0, 100_000_001n)],
  ['a header length of 2^64 - 1', 'ST-HEADER-LIMIT', file('{}', 0, 2n ** 64n - 1n)],
  ['a header length one past the end', 'ST-HEADER-TRUNCATED', file('{}', 0, 3n)],
  ['a header length of exactly 100,000,000 in a short file', 'ST-HEADER-TRUNCATED', file('{}', 0, 100_000_000n)],
  ['a byte order mark', 'ST-BOM', file(new Uint8Array([0xef, 0xbb, 0xbf, 0x7b, 0x7d]))],
  ['a header that is not UTF-8', 'ST-UTF8', file(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]))],
  ['an overlong UTF-8 form', 'ST-UTF8', file(new Uint8Array([0x7b, 0xc0, 0xa2, 0x7d]))],
  ['an empty header', 'ST-JSON', file('')],
  ['a header that is not JSON', 'ST-JSON', file('hello')],
  ['a header that does not end', 'ST-JSON', file('{"a')],
  ['a trailing comma', 'ST-JSON', file(`{${u8('a', 0, 0)},}`)],
  ['text after the object', 'ST-JSON', file('{} {}')],
  ['white space that JSON does not know', 'ST-JSON', file('\u00a0{}')],
  ['a control character in a name', 'ST-JSON', file(`{${u8('a\u0001', 0, 0)}}`)],
  ['a bad escape', 'ST-JSON', file(`{${u8('\\x', 0, 0)}}`)],
  ['half a surrogate pair', 'ST-JSON', file(`{${u8('\\ud800', 0, 0)}}`)],
  ['a header that is an array', 'ST-NOT-OBJECT', file('[]')],
  ['a header that is null', 'ST-NOT-OBJECT', file('null')],
  ['a name that comes twice', 'ST-DUPLICATE', file(`{${u8('a', 0, 1)},${u8('a', 1, 2)}}`, 2)],
  ['a name that comes twice, once escaped', 'ST-DUPLICATE', file(`{${u8('a', 0, 1)},${u8('\\u0061', 1, 2)}}`, 2)],
  [
    'a field that comes twice',
    'ST-DUPLICATE',
    file('{"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
  ],
  ['metadata that comes twice', 'ST-DUPLICATE', file('{"__metadata__":{},"__metadata__":{}}')],
  ['a metadata key that comes twice', 'ST-DUPLICATE', file('{"__metadata__":{"a":"1","a":"2"}}')],
  ['metadata that is not an object', 'ST-METADATA', file('{"__metadata__":"x"}')],
  ['a metadata value that is a number', 'ST-METADATA', file('{"__metadata__":{"a":1}}')],
  ['a tensor that is a number', 'ST-ENTRY', file('{"a":5}')],
  ['deep nesting, without running out of stack', 'ST-ENTRY', file(`{"a":${'['.repeat(100_000)}`)],
  ['a tensor without a shape', 'ST-ENTRY', file('{"a":{"dtype":"U8","data_offsets":[0,0]}}')],
  ['a tensor with an unknown field', 'ST-ENTRY', file('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1}}')],
  ['an unknown dtype', 'ST-DTYPE', one('F128', '[0]', '[0,0]', 0)],
  ['a dtype in lower case', 'ST-DTYPE', one('f32', '[0]', '[0,0]', 0)],
  ['a dtype named like a property of all objects', 'ST-DTYPE', one('__proto__', '[0]', '[0,0]', 0)],
  ['a dtype that is a number', 'ST-DTYPE', file(`{"a":${entry('1', '[0]', '[0,0]')}}`)],
  ['a shape that is not an array', 'ST-SHAPE', one('U8', '{}', '[0,0]', 0)],
  ['a negative size', 'ST-SHAPE', one('U8', '[-1]', '[0,0]', 0)],
  ['a size of 1.0', 'ST-SHAPE', one('U8', '[1.0]', '[0,1]', 1)],
  ['a size of 1e0', 'ST-SHAPE', one('U8', '[1e0]', '[0,1]', 1)],
  ['a size with a leading zero', 'ST-SHAPE', one('U8', '[01]', '[0,1]', 1)],
  ['a size of 2^53', 'ST-SHAPE', one('U8', '[9007199254740992]', '[0,0]', 0)],
  ['a size of 2^53 + 1, which JSON.parse rounds', 'ST-SHAPE', one('U8', '[9007199254740993]', '[0,0]', 0)],
  ['a size of 1e400', 'ST-SHAPE', one('U8', '[1e400]', '[0,0]', 0)],
  ['65 axes', 'ST-SHAPE', one('U8', `[${Array(65).fill(1).join()}]`, '[0,1]', 1)],
  ['a product past 2^53', 'ST-OVERFLOW', one('U8', '[4294967296,4294967296]', '[0,0]', 0)],
  ['a product past 2^53 before a zero', 'ST-OVERFLOW', one('U8', '[9007199254740991,2,0]', '[0,0]', 0)],
  ['one offset', 'ST-OFFSETS', one('U8', '[0]', '[0]', 0)],
  ['three offsets', 'ST-OFFSETS', one('U8', '[0]', '[0,0,0]', 0)],
  ['a fractional offset', 'ST-OFFSETS', one('U8', '[0]', '[0,0.5]', 0)],
  ['offsets that run backwards', 'ST-OFFSETS', one('U8', '[0]', '[1,0]', 1)],
  ['tensors that overlap', 'ST-OVERLAP', file(`{${u8('a', 0, 2)},${u8('b', 1, 3)}}`, 3)],
  ['an empty tensor inside another', 'ST-OVERLAP', file(`{${u8('a', 0, 2)},${u8('b', 1, 1)}}`, 2)],
  ['a hole between tensors', 'ST-HOLE', file(`{${u8('a', 0, 1)},${u8('b', 2, 3)}}`, 3)],
  ['a hole at the start', 'ST-HOLE', file(`{${u8('a', 1, 2)}}`, 2)],
  ['one byte too few for the shape', 'ST-SIZE', one('F32', '[2]', '[0,7]', 7)],
  ['one byte too many for the shape', 'ST-SIZE', one('F32', '[2]', '[0,9]', 9)],
  ['4-bit floats that end inside a byte', 'ST-SUB-BYTE', one('F4', '[3]', '[0,2]', 2)],
  ['6-bit floats that end inside a byte', 'ST-SUB-BYTE', one('F6_E2M3', '[1]', '[0,1]', 1)],
  ['data that is cut off', 'ST-TRUNCATED', one('F32', '[2]', '[0,8]', 7)],
  ['a byte after the data', 'ST-TRAILING', one('F32', '[2]', '[0,8]', 9)],
  ['a byte after no tensors', 'ST-TRAILING', file('{}', 1)],
]

const accepted: readonly (readonly [title: string, bytes: Uint8Array, names: readonly string[]])[] = [
  ['no tensors', file('{}'), []],
  ['white space before the header and after it', file(' \t\r\n{ } \n'), []],
  ['a scalar', one('F32', '[]', '[0,4]', 4), ['a']],
  ['an empty tensor', one('F32', '[0,7]', '[0,0]', 0), ['a']],
  ['an empty tensor of huge sides', one('U8', '[0,9007199254740991]', '[0,0]', 0), ['a']],
  ['64 axes', one('U8', `[${Array(64).fill(1).join()}]`, '[0,1]', 1), ['a']],
  ['tensors in another order than their data', file(`{${u8('b', 1, 2)},${u8('a', 0, 1)}}`, 2), ['b', 'a']],
  ['empty tensors at every boundary', file(`{${u8('z', 2, 2)},${u8('a', 0, 2)},${u8('y', 0, 0)}}`, 2), ['z', 'a', 'y']],
  ['packed 4-bit floats', one('F4', '[4]', '[0,2]', 2), ['a']],
  [
    'an empty name, and names that are traps for objects',
    file(`{${['', '__proto__', 'constructor', 'a\\u0000/../b'].map((n) => u8(n, 0, 0)).join()}}`),
    ['', '__proto__', 'constructor', 'a\0/../b'],
  ],
]

describe('readSafetensors', () => {
  it.each(refused)('refuses %s with %s', (_, code, bytes) => {
    const result = readSafetensors(bytes)
    expect(E.isLeft(result) ? result.left.code : 'accepted').toBe(code)
  })

  it.each(accepted)('accepts %s', (_, bytes, names) => {
    const result = readSafetensors(bytes)
    expect(E.isRight(result) ? [...result.right.tensors.keys()] : result.left.message).toEqual(names)
  })

  it('refuses more tensors than the limit, and accepts exactly as many', () => {
    const two = file(`{${u8('a', 0, 0)},${u8('b', 0, 0)}}`)
    expect(readSafetensors(two, { maxTensors: 1 })).toMatchObject({ left: { code: 'ST-TOO-MANY' } })
    expect(E.isRight(readSafetensors(two, { maxTensors: 2 }))).toBe(true)
  })

  it('says in the message which tensor is wrong and what it needs', () => {
    const result = readSafetensors(one('F32', '[2,3]', '[0,23]', 23))
    expect(E.isLeft(result) && result.left.message).toBe(
      'not a valid safetensors file: tensor "a" (F32 [2, 3]) needs 24 bytes, its data_offsets give 23',
    )
  })
})

const dtypes = Object.keys(bitsPerElement) as RecordDType[]

const record = fc
  .record({ dtype: fc.constantFrom(...dtypes), shape: fc.array(fc.nat(4), { maxLength: 4 }), seed: fc.nat(255) })
  .map(({ dtype, shape, seed }): ArrayRecord => {
    const whole = bitsPerElement[dtype] % 8 === 0 ? shape : [...shape, 4] // packed floats fill bytes in fours
    const bytes = (whole.reduce((a, b) => a * b, 1) * bitsPerElement[dtype]) / 8
    return { dtype, shape: whole, bytes: Uint8Array.from({ length: bytes }, (_, i) => (seed + 7 * i) % 256) }
  })
const name = fc
  .oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('__proto__', 'constructor', '7', '10', '"\\\n'))
  .filter((n) => n !== '__metadata__')
const tensors = fc.uniqueArray(fc.tuple(name, record), { selector: ([n]) => n, maxLength: 6 })
const metadata = fc
  .uniqueArray(fc.tuple(fc.string(), fc.string({ unit: 'grapheme' })), { selector: ([n]) => n, maxLength: 3 })
  .map((pairs) => new Map(pairs))

const sorted = <V>(map: Iterable<readonly [string, V]>): readonly (readonly [string, V])[] =>
  [...map].toSorted(([a], [b]) => (a < b ? -1 : 1))

describe('writeSafetensors', () => {
  it('writes what readSafetensors reads back, aligned to 8 bytes and to each element, whatever the tensors', () => {
    fc.assert(
      fc.property(tensors, metadata, (written, meta) => {
        const bytes = writeSafetensors(written, meta)
        const read = readSafetensors(bytes)
        if (E.isLeft(read)) throw new Error(read.left.message)
        expect(sorted(read.right.tensors)).toEqual(sorted(written))
        expect(sorted(read.right.metadata)).toEqual(sorted(meta))
        expect(new DataView(bytes.buffer).getUint32(0, true) % 8).toBe(0)
        expect(bytes[8]).toBe(0x7b)
        for (const r of read.right.tensors.values())
          if (bitsPerElement[r.dtype] % 8 === 0) expect(r.bytes.byteOffset % (bitsPerElement[r.dtype] / 8)).toBe(0)
      }),
      { numRuns: 1000 },
    )
  })

  it('writes the same bytes in whatever order the tensors come', () => {
    fc.assert(
      fc.property(tensors, metadata, (written, meta) => {
        expect(writeSafetensors(written.toReversed(), new Map([...meta].toReversed()))).toEqual(
          writeSafetensors(written, meta),
        )
      }),
      { numRuns: 100 },
    )
  })

  it('throws for bytes that do not fit, names that come twice or are taken, and half surrogate pairs', () => {
    const ok: ArrayRecord = { dtype: 'u8', shape: [1], bytes: new Uint8Array(1) }
    expect(() => writeSafetensors([['a', { ...ok, shape: [2] }]])).toThrow('1 bytes do not fit u8 [2]')
    expect(() => writeSafetensors([['a', { ...ok, shape: [-1, -1] }]])).toThrow(RangeError)
    expect(() =>
      writeSafetensors([
        ['a', ok],
        ['a', ok],
      ]),
    ).toThrow('comes twice')
    expect(() => writeSafetensors([['__metadata__', ok]])).toThrow('taken by the format')
    expect(() => writeSafetensors([['\ud800', ok]])).toThrow('surrogate')
    expect(() => writeSafetensors([], new Map([['k', '\udc00']]))).toThrow('surrogate')
  })
})

/** What must hold for every file that is accepted: the records tile the data section, and each fits its shape. */
const checkInvariants = (bytes: Uint8Array): void => {
  const read = readSafetensors(bytes)
  if (E.isLeft(read)) {
    expect(read.left).toMatchObject({ _tag: 'SafetensorsError', code: expect.stringMatching(/^ST-/) })
    return
  }
  let total = 8 + new DataView(bytes.buffer).getUint32(0, true)
  for (const r of read.right.tensors.values()) {
    expect(r.bytes.length * 8).toBe(r.shape.reduce((a, b) => a * b, bitsPerElement[r.dtype]))
    total += r.bytes.length
  }
  expect(total).toBe(bytes.length)
}

describe('readSafetensors under 20,000 mutations', () => {
  const base = writeSafetensors(
    [
      ['down.0.weight', { dtype: 'f32', shape: [2, 3], bytes: new Uint8Array(24) }],
      ['half', { dtype: 'f16', shape: [5], bytes: new Uint8Array(10) }],
      ['empty', { dtype: 'I64', shape: [0], bytes: new Uint8Array(0) }],
    ],
    new Map([
      ['format', 'pt'],
      ['step', '600'],
    ]),
  )
  const tokens = [
    '{',
    '}',
    '[',
    ']',
    '"',
    ',',
    ':',
    '\\',
    '-',
    '1e400',
    '0',
    '9007199254740993',
    'null',
    '__proto__',
    '__metadata__',
    ' ',
    '\u0000',
  ].map(utf8)

  const mutate = (random: () => number): Uint8Array => {
    const bytes = base.slice()
    const edits = 1 + Math.floor(random() * 3)
    for (let i = 0; i < edits; i++) bytes[Math.floor(random() ** 2 * bytes.length)] = Math.floor(random() * 256)
    if (random() < 0.2) return bytes.slice(0, Math.floor(random() * (bytes.length + 1)))
    if (random() < 0.4) {
      const token = tokens[Math.floor(random() * tokens.length)] ?? utf8('{')
      const copy = base.slice()
      copy.set(token.subarray(0, 20), 8 + Math.floor(random() * (base.length - 40)))
      return copy
    }
    return bytes
  }

  it('gives a typed error or a file whose invariants hold, and never throws', () => {
    let state = 1
    const random = (): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return state / 2 ** 32
    }
    for (let i = 0; i < 20_000; i++) checkInvariants(mutate(random))
  })
})

describe('toFloat32', () => {
  const floats = (dtype: RecordDType, bytes: readonly number[], shape: readonly number[]): unknown => {
    const shifted = new Uint8Array([99, ...bytes]).subarray(1) // unaligned on purpose
    const result = toFloat32({ dtype, shape, bytes: shifted })
    return E.isRight(result) ? [...result.right] : result.left.message
  }

  it('converts f32, f16, BF16 and f64 from unaligned bytes', () => {
    expect(floats('f32', [0, 0, 0xc0, 0x3f], [])).toEqual([1.5])
    expect(floats('f16', [0, 0x3e, 0, 0x7c, 1, 0], [3])).toEqual([1.5, Infinity, 2 ** -24])
    expect(floats('BF16', [0xc0, 0x3f, 0x80, 0xff], [2])).toEqual([1.5, -Infinity])
    expect(floats('f64', [0, 0, 0, 0, 0, 0, 0xf8, 0x3f], [1])).toEqual([1.5])
  })

  it('refuses integers', () => {
    expect(floats('i32', [1, 0, 0, 0], [1])).toContain('holds no f16, BF16, f32 or f64')
  })
})

describe('safetensors files', () => {
  const folder = temporaryFolders()

  it('round-trip through the disk and leave no temporary file', async () => {
    const root = folder()
    const a: ArrayRecord = { dtype: 'f32', shape: [2], bytes: new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]) }
    expect(E.isRight(await writeSafetensorsFile(join(root, 'm.safetensors'), [['a', a]])())).toBe(true)
    const read = await readSafetensorsFile(join(root, 'm.safetensors'))()
    if (E.isLeft(read)) throw new Error(read.left.message)
    expect(Uint8Array.from(read.right.tensors.get('a')?.bytes ?? [])).toEqual(a.bytes)
    expect(await readdir(root)).toEqual(['m.safetensors'])
  })

  it('name the file in the error, for a damaged file and for a missing one', async () => {
    const root = folder()
    await writeFile(join(root, 'bad'), 'abc')
    expect(await readSafetensorsFile(join(root, 'bad'))()).toMatchObject({
      left: { code: 'ST-SHORT', message: expect.stringContaining(join(root, 'bad')) },
    })
    expect(await readSafetensorsFile(join(root, 'none'))()).toMatchObject({
      left: { _tag: 'FileSystemError', code: 'ENOENT' },
    })
  })
})
