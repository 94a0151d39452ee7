/** What JavaScript, or a forgotten await, hands over in spite of the types: the message names it, and what to do. */
import { describe, expect, it } from 'vitest'
import { grad, valueAndGrad } from '../../src/autograd/grad.ts'
import { concatenate, gather, scatterAdd, stack } from '../../src/tensor/combine.ts'
import { conv2d } from '../../src/tensor/convolution.ts'
import { maxPool } from '../../src/tensor/pooling.ts'
import { pixelShuffle, upsampleNearest } from '../../src/tensor/resampling.ts'
import { constant, full, iota, scalar, tensor, zeros } from '../../src/tensor/create.ts'
import { attention } from '../../src/tensor/attention.ts'
import { dotGeneral, einsum } from '../../src/tensor/contractions.ts'
import { bernoulli, bits, gumbel, key, normal, randint, uniform } from '../../src/tensor/random.ts'
import { cpuDevice } from '../support/device.ts'

const x = zeros([2, 3])
const mask = x.greater(0)
/** What the types forbid. */
const given = (value: unknown): never => value as never
const promise = Promise.resolve(x)

const cases: readonly (readonly [message: string, make: () => unknown])[] = [
  ['mul: got a Promise where a tensor or a number is expected: await it', () => x.mul(given(promise))],
  ['sub: got a Promise where a tensor or a number is expected: await it', () => x.sub(given(promise))],
  ['greater: got a Promise where a tensor or a number is expected: await it', () => x.greater(given(promise))],
  ['minimum: got a Promise where a tensor or a number is expected: await it', () => x.minimum(given(promise))],
  [
    'max: got an array where a tensor or a number is expected: make a tensor of it: tensor([…])',
    () => x.maximum(given([1])),
  ],
  ['select: got a Promise where a tensor or a number is expected: await it', () => mask.select(given(promise), x)],
  ['select: got a Promise where a tensor or a number is expected: await it', () => mask.select(1, given(promise))],
  ['matmul: got a Promise where a tensor is expected: await it', () => x.matmul(given(promise))],
  [
    'pow: the exponent must be a number, got a tensor; power(x, y) raises to each power of a tensor',
    () => x.pow(given(x)),
  ],
  ["pow: got the string '2' where a number is expected: Number(…) makes a number of it", () => x.pow(given('2'))],
  ['concatenate: got a Promise where a tensor is expected: await it', () => concatenate([x, given(promise)], 0)],
  ['stack: got a Promise where a tensor is expected: await it', () => stack([x, given(promise)])],
  ['gather: got an array where a tensor is expected: make a tensor of it: tensor([…])', () => gather(x, given([0]))],
  ['scatterAdd: got a Promise where a tensor is expected: await it', () => scatterAdd(given(promise), x, 2)],
  ['einsum: got a Promise where a tensor is expected: await it', () => einsum('ij,jk->ik', x, given(promise))],
  [
    'dotGeneral: got a Promise where a tensor is expected: await it',
    () => dotGeneral(x, given(promise), { contract: [[1], [1]], batch: [[], []] }),
  ],
  ['conv2d: got a Promise where a tensor is expected: await it', () => conv2d(zeros([1, 3, 3, 1]), given(promise))],
  ['attention: got a Promise where a tensor is expected: await it', () => attention(x, x, given(promise))],
  [
    'attention: takes query […, Q, D], key […, K, D] and value […, K, V] with equal leading axes, got [2,3], [1,2,3], [2,3]',
    () => attention(x, zeros([1, 2, 3]), x),
  ],
  ['maxPool: takes images [N, H, W, C], got [2,3]', () => maxPool(x)],
  ['upsampleNearest: takes images [N, H, W, C], got [2,3]', () => upsampleNearest(x)],
  ['pixelShuffle: takes images [N, H, W, C], got [2,3]', () => pixelShuffle(x)],
  [
    'grad: the function must return a scalar tensor, it returned 3; a number does not say how it was computed from the parameters',
    () => grad(given(() => 3))(given(x)),
  ],
  [
    'grad: the function must return a scalar tensor, it returned undefined; is a return missing?',
    () => valueAndGrad(given(() => undefined))(given(x)),
  ],
  [
    'grad: the function returned a Promise: it runs once, to be traced, and must return tensors without await; read values outside of it',
    () => grad(given(() => promise))(given(x)),
  ],
  [
    "tensor, at [0]: got the string 'a' where a number is expected: Number(…) makes a number of it",
    () => tensor(given(['a', 'b'])),
  ],
  ['tensor, at [1,0]: got null where a number is expected: give a tensor', () => tensor(given([[1], [null]]))],
  ['tensor: got a Promise where a number is expected: await it', () => tensor(given(promise))],
  [
    'tensor: got a tensor at [1] where a number is expected: stack([…]) puts tensors together',
    () => tensor(given([scalar(1), scalar(2)].toReversed().with(0, given(1)))),
  ],
  [
    'tensor: no dtype is stored as BigInt64Array: take Float32Array (f32), Float64Array (f64), Int32Array (i32), Uint32Array (u32), Uint8Array (u8, bool) or Uint16Array (the bits of f16), as Int32Array.from(values, Number)',
    () => tensor(given(new BigInt64Array(2))),
  ],
  [
    'tensor: no dtype is stored as Int16Array: take Float32Array (f32), Float64Array (f64), Int32Array (i32), Uint32Array (u32), Uint8Array (u8, bool) or Uint16Array (the bits of f16), as Int32Array.from(values), or Float32Array.from(values)',
    () => constant(given(new Int16Array(2))),
  ],
  [
    "there is no dtype 'float32': choose one of f16, f32, f64, i32, u32, u8, bool; write 'f32'",
    () => tensor([1], { dtype: given('float32') }),
  ],
  [
    "there is no dtype 'toString': choose one of f16, f32, f64, i32, u32, u8, bool",
    () => zeros([2], given('toString')),
  ],
  ["there is no dtype 'f23': choose one of f16, f32, f64, i32, u32, u8, bool", () => x.cast(given('f23'))],
  [
    'full: got a tensor where a number is expected: await device.item(x) reads its one value',
    () => full([2], given(x)),
  ],
  ['random: a key is made with key(seed), got the number 0: write key(0)', () => uniform(given(0), [3])],
  [
    'random: got an array where a key is expected: write normal(key, shape); initializers, normal(shape), are of fathom/nn/init',
    () => normal(given([2, 3]), given(0.02)),
  ],
  [
    'random: got undefined where a key is expected: is an await or a return missing, or a name misspelt?',
    () => bits(given(undefined), [3]),
  ],
]

/** Everything that takes a shape refuses what is none, in the same words. */
const shaped: readonly (readonly [name: string, make: (shape: never) => unknown])[] = [
  ['zeros', (s) => zeros(s)],
  ['iota', (s) => iota(s, 0)],
  ['reshape', (s) => x.reshape(s)],
  ['broadcastTo', (s) => x.broadcastTo(s)],
  ['tensor', (s) => tensor([1, 2, 3], { shape: s })],
  ['bits', (s) => bits(key(0), s)],
  ['normal', (s) => normal(key(0), s)],
  ['uniform', (s) => uniform(key(0), s)],
  ['gumbel', (s) => gumbel(key(0), s)],
  ['randint', (s) => randint(key(0), s, 0, 3)],
  ['bernoulli', (s) => bernoulli(key(0), 0.5, s)],
]

const errorOf = (make: () => unknown): string => {
  try {
    make()
  } catch (e) {
    return e instanceof Error ? e.message : String(e)
  }
  return 'no error'
}

describe('values of the wrong type', () => {
  it.each(cases)('%s', (message, make) => {
    expect(errorOf(make)).toBe(message)
  })

  it.each(shaped)('%s refuses a number, fractions, negative lengths and NaN as a shape', (_, make) => {
    expect(errorOf(() => make(given(3)))).toBe('a shape is a list of lengths, got 3: write [3]')
    expect(errorOf(() => make(given([2.5])))).toBe('a shape holds whole numbers ≥ 0, got [2.5]')
    expect(errorOf(() => make(given([NaN])))).toBe('a shape holds whole numbers ≥ 0, got [NaN]')
    expect(errorOf(() => make(given([-2])))).toBe('a shape holds whole numbers ≥ 0, got [-2]')
  })

  it('a promise that is read is named', async () => {
    await expect(cpuDevice().read(given(promise))).rejects.toThrow(
      'read: got a Promise where a tensor is expected: await it',
    )
  })

  it("JavaScript's operators are refused, and texts are not", () => {
    expect(errorOf(() => given(x) * 2)).toMatch(
      /^a tensor is no number: .*f32\[2,3\]; write x\.add\(y\) for x \+ y, x\.mul\(2\) for x \* 2/,
    )
    expect(errorOf(() => given(x) + 1)).toMatch(/^a tensor is no number: /)
    expect(errorOf(() => given(x) > 0)).toMatch(/^a tensor is no number/)
    expect(String(scalar(2))).toBe('Tensor f32[] 2')
  })
})
