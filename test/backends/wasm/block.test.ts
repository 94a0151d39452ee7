/** Parameter blocks by name, and keys that follow from structures. */
import { describe, expect, it } from 'vitest'
import {
  block,
  each,
  inBuffer,
  inScratch,
  kept,
  list,
  listOf,
  readAt,
  table,
  word,
  words,
} from '../../../src/backends/wasm/emit/block.ts'
import { emitter } from '../../../src/backends/wasm/emit/emitter.ts'
import { code, makerOf, phase, type Code } from '../../../src/backends/wasm/emit/kernelCode.ts'
import { textOf } from '../../../src/backends/wasm/emit/structure.ts'
import type { Expression, Local } from '../../../src/backends/wasm/assembler/code.ts'

const pointer: Local = { name: 'block', type: 'i32' }

/** The word that an expression loads. */
const indexOf = (x: Expression): number => (x.kind === 'apply' ? (x.immediates[0] ?? NaN) / 4 : NaN)

describe('a block', () => {
  const nested = block({
    ...words('from', 'to'),
    lengths: list(3),
    operands: listOf(2, block(words('start', 'step'))),
    last: word,
  })

  it('has what is written by a name where the code reads it by that name', () => {
    const values = {
      from: inBuffer(1),
      to: inScratch(8),
      lengths: [2, 3, 4],
      operands: [5, 7].map((start) => ({ start, step: start + 1 })),
      last: 9,
    }
    const memory = nested.write(values)
    expect(memory).toHaveLength(nested.size)
    const read = readAt(nested, pointer)
    const found = (x: Expression): unknown => memory[indexOf(x)]
    expect(found(read.from)).toEqual(values.from)
    expect(found(read.to)).toEqual(values.to)
    expect(read.lengths.map(found)).toEqual(values.lengths)
    expect(read.operands.map(({ start, step }) => ({ start: found(start), step: found(step) }))).toEqual(
      values.operands,
    )
    expect(found(read.last)).toBe(9)
  })

  it('does not care in which order its values are given', () => {
    const pair = block(words('x', 'y'))
    expect(pair.write({ y: 2, x: 1 })).toEqual(pair.write({ x: 1, y: 2 }))
  })

  it('refuses a list of another length', () => {
    expect(() => block({ lengths: list(2) }).write({ lengths: [1] })).toThrow(
      'wasm: a block has room for 2 values of a list, it was given 1',
    )
    expect(() => each([word]).write([])).toThrow('room for 1 values')
  })

  it('is read into locals of the fields’ names, each once', () => {
    const e = emitter()
    const { to, operands } = kept(e, readAt(nested, pointer))
    expect(e.statements).toHaveLength(nested.size)
    expect(to).toMatchObject({ kind: 'get', local: { name: 'to2' } })
    expect(operands[1]?.step).toMatchObject({ kind: 'get', local: { name: 'step9' } })
  })

  it('may hold the place of a table', () => {
    const values = Int32Array.of(1, 2)
    expect(block({ records: word }).write({ records: table(values) })).toEqual([{ kind: 'table', values }])
  })
})

describe('the text of a structure', () => {
  it('is the same for the same structure, whatever the order of its keys, and tells others apart', () => {
    expect(textOf({ b: [1, 'add'], a: { c: true } })).toBe('{a:{c:true},b:[1,add]}')
    expect(textOf({ a: { c: true }, b: [1, 'add'] })).toBe(textOf({ b: [1, 'add'], a: { c: true } }))
    expect(textOf({ a: undefined })).toBe(textOf({}))
    const others = [
      0,
      -0,
      NaN,
      Infinity,
      '0',
      '',
      'NaN',
      'true',
      true,
      'undefined',
      [],
      {},
      [0],
      [[0]],
      [0, 0],
      ['0'],
      ['a,b'],
      ['a', 'b'],
    ]
    expect(new Set(others.map(textOf)).size).toBe(others.length)
  })
})

describe('a phase', () => {
  const twice = code(
    'twice',
    () => block(words('x')),
    ({ e, words: { x } }, { count }: { readonly count: number }) => {
      for (let k = 0; k < count; k++) kept(e, { x })
    },
  )
  const work = { units: 1, grain: 1 }

  it('has the key of its code and structure; the numbers of its block are not in it', () => {
    expect(phase(twice, { count: 2 }, { x: 1 }, work).key).toBe('twice {count:2}')
    expect(phase(twice, { count: 2 }, { x: 5 }, work).key).toBe('twice {count:2}')
    expect(phase(twice, { count: 3 }, { x: 1 }, work).key).toBe('twice {count:3}')
  })

  it('makes the function of its structure', () => {
    expect(makerOf(phase(twice, { count: 3 }, { x: 1 }, work), undefined)?.('f').body).toHaveLength(3)
  })

  it('cannot be made of a structure that holds a function, for no text tells what that does', () => {
    const opaque = code(
      'opaque',
      () => word,
      (_, { f }: { readonly f: () => void }) => {
        f()
      },
    )
    const never: Code<never, number> = opaque
    expect(never.name).toBe('opaque')
    // @ts-expect-error: the structure is not plain data
    expect(phase(opaque, { f: () => undefined }, 0, work).units).toBe(1)
  })
})
