/** What was given in the place of a tensor. */
import { describe, expect, it } from 'vitest'
import { notATensor } from '../../src/prelude/mistaken.ts'

const cases: readonly (readonly [unknown, string])[] = [
  [Promise.resolve(1), 'a Promise where a tensor is expected: await it'],
  [undefined, 'undefined where a tensor is expected: is an await or a return missing, or a name misspelt?'],
  [null, 'null where a tensor is expected: give a tensor'],
  [[1, 2, 3], 'an array where a tensor is expected: make a tensor of it: tensor([…])'],
  [new Float32Array(2), 'a Float32Array where a tensor is expected: make a tensor of it: tensor(values)'],
  ['2', "the string '2' where a tensor is expected: Number(…) makes a number of it"],
  [2n, 'the bigint 2n where a tensor is expected: Number(…) makes a number of it'],
  [true, 'true where a tensor is expected: write 1 or 0'],
  [Math.max, 'the function max where a tensor is expected: call it'],
  [{ weight: 1, bias: 2 }, 'an object of weight, bias where a tensor is expected: name the tensor in it'],
  [{ a: 1, b: 2, c: 3, d: 4 }, 'an object of a, b, c, … where a tensor is expected: name the tensor in it'],
  [{ node: {}, shape: [] }, 'a tensor where a tensor is expected: let it come from the same copy of fathom'],
]

describe('what is no tensor', () => {
  it.each(cases)('%s is named, with what to do', (value, message) => {
    const error = notATensor('mul', value)
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toBe(`mul: got ${message}`)
  })
})
