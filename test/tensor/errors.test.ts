/** What a student reads when shapes or dtypes do not fit: the operation, what it got, what it expected. */
import { describe, expect, it } from 'vitest'
import { concatenate, gather, scatterAdd, splitInto, stack } from '../../src/tensor/combine.ts'
import { averagePool, maxPool } from '../../src/tensor/pooling.ts'
import { conv2d } from '../../src/tensor/convolution.ts'
import { pixelShuffle, pixelUnshuffle } from '../../src/tensor/resampling.ts'
import { constant, iota, tensor, zeros } from '../../src/tensor/create.ts'
import { dotGeneral, einsum } from '../../src/tensor/contractions.ts'

const x = zeros([2, 3])
const image = zeros([8, 28, 28, 3])

const cases: readonly (readonly [message: string, make: () => unknown])[] = [
  ['0.5 is not a number of dtype i32; cast the tensor to a float first', () => zeros([2], 'i32').mul(0.5)],
  [
    'conv2d: input has 3 channels, filter expects 4 (x: [8,28,28,3], w: [3,3,4,16])',
    () => conv2d(image, zeros([3, 3, 4, 16])),
  ],
  [
    'conv2d: input has 3 channels, filter expects 4 (2 groups of 2) (x: [8,28,28,3], w: [3,3,2,16])',
    () => conv2d(image, zeros([3, 3, 2, 16]), { groups: 2 }),
  ],
  [
    'conv2d: input has 4 channels, filter expects 2 (x: [8,28,28,4], w: [3,3,2,16])',
    () => conv2d(zeros([8, 28, 28, 4]), zeros([3, 3, 2, 16])),
  ],
  [
    'conv2d: 16 output channels do not divide into 3 groups (x: [8,28,28,3], w: [3,3,1,16])',
    () => conv2d(image, zeros([3, 3, 1, 16]), { groups: 3 }),
  ],
  ['conv2d: input must be [N, H, W, C] (x: [2,3], w: [3,3,3,16])', () => conv2d(x, zeros([3, 3, 3, 16]))],
  ['conv2d: filter must be [KH, KW, C, O] (x: [8,28,28,3], w: [3,3,3])', () => conv2d(image, zeros([3, 3, 3]))],
  [
    'conv2d: strides, dilations and groups are whole numbers ≥ 1 (x: [8,28,28,3], w: [3,3,3,1])',
    () => conv2d(image, zeros([3, 3, 3, 1]), { stride: 0 }),
  ],
  [
    'conv2d: input is f32 and filter is f16; both must be the same number type',
    () => conv2d(image, zeros([3, 3, 3, 1], 'f16')),
  ],
  [
    '0.5 is not a number of dtype i32; cast the tensor to a float first',
    () => constant([1], { dtype: 'i32' }).sub(0.5),
  ],
  ['matmul: [2,3] · [2,3]: 3 columns meet 2 rows', () => x.matmul(x)],
  [
    'matmul: [5,2,3] · [4,3,2]: [5] and [4] do not broadcast: axis -1 has 5 against 4, and neither is 1',
    () => zeros([5, 2, 3]).matmul(zeros([4, 3, 2])),
  ],
  ['matmul: [3] · [2,3]: 3 columns meet 2 rows', () => zeros([3]).matmul(x)],
  ['matmul: [] · [2,3]: needs vectors, matrices or stacks of them; for a number use mul', () => zeros([]).matmul(x)],
  ['add: [2,3] and [2,4] do not broadcast: axis -1 has 3 against 4, and neither is 1', () => x.add(zeros([2, 4]))],
  ['broadcastTo: [2,3] does not broadcast to [3,3]', () => x.broadcastTo([3, 3])],
  ['broadcastTo: [2,3] does not broadcast to [3]', () => x.broadcastTo([3])],
  ['reshape: [2,3] has 6 elements, [4,2] has 8', () => x.reshape([4, 2])],
  ['reshape: [2,3] to [4,-1]: 6 elements do not divide by 4', () => x.reshape([4, -1])],
  ['reshape: [2,3] to [-1,-1]: 2 lengths are −1; one can be left open', () => x.reshape([-1, -1])],
  [
    'reshape: [0,3] to [0,-1]: the lengths beside −1 make 0 elements, so −1 could be anything; name it',
    () => zeros([0, 3]).reshape([0, -1]),
  ],
  ['transpose: [1] does not name every axis of [2,3] once', () => x.transpose([1])],
  ['transpose: axis 2 does not exist in a tensor of 2 axes', () => x.transpose([2, 0])],
  ['sum: axis 2 does not exist in a tensor of 2 axes', () => x.sum(2)],
  ['reduceSum: axes [1,1] must be different axes of a tensor with 2 axes', () => x.sum([1, -1])],
  ['slice: 3 ranges for [2,3]', () => x.slice([], [], [])],
  ['slice: [0,2] … [2,1] by [1,1] does not lie in [2,3]', () => x.slice([], [2, 1])],
  ['pad: amounts are ≥ 0; use slice to crop', () => x.pad([0, -1], [0, 0])],
  ['concatenate: [2,3], [2,4] must agree in every axis but 0', () => concatenate([x, zeros([2, 4])], 0)],
  ['concatenate: dtypes f32, i32 differ', () => concatenate([x, zeros([2, 3], 'i32')], 0)],
  ['stack: needs at least one tensor', () => stack([])],
  ['splitInto: axis 1 of [2,3] does not divide into 2 parts', () => splitInto(x, 2, 1)],
  ['gather: indices must be i32 or u32, got f32', () => gather(x, zeros([2]))],
  ['gather: axis 0 of [0,3] has no rows to pick from', () => gather(zeros([0, 3]), iota([2], 0))],
  ['scatterAdd: updates [2,3] do not hold [3] at axis 0', () => scatterAdd(iota([3], 0), x, 4)],
  ['scatterAdd: there are updates, but 0 rows to add them to', () => scatterAdd(iota([2], 0), x, 0)],
  ['add: dtypes f32 and i32 differ; cast one of them', () => x.add(zeros([2, 3], 'i32'))],
  ['exp: takes a float, got i32; cast it first', () => zeros([2], 'i32').exp()],
  ['add: takes numbers; cast bool first, got bool', () => zeros([2], 'bool').add(zeros([2], 'bool'))],
  [
    "select: the condition must be bool, got f32; compare first, as x.greater(0).select(…), or cast('bool')",
    () => x.select(x, x),
  ],
  ['bitcast: needs two dtypes of four bytes, got f32 → f64', () => x.bitcast('f64')],
  [
    'pow: i32 has whole powers only, got the exponent 0.5; cast the tensor to a float first',
    () => iota([2], 0).pow(0.5),
  ],
  ['pow: the exponent must be a finite number, got NaN', () => x.pow(NaN)],
  ["einsum: 'ij;jk' is not of the form 'ij,jk->ik': letters, commas, '...' and one '->'", () => einsum('ij;jk', x, x)],
  [
    "einsum: 'ijk,jk->ik' does not name the axes of [2,3] and [2,3]: 'ijk' is for [2,3]",
    () => einsum('ijk,jk->ik', x, x),
  ],
  ["einsum: 'ij,jk->ik' is of 2 operands, it was given 1", () => einsum('ij,jk->ik', x)],
  ["einsum: 'ij,jk->ik': 'j' is 3 and 2", () => einsum('ij,jk->ik', x, x)],
  ["einsum: 'ij->ii': the result has 'i' twice, or no operand has it", () => einsum('ij->ii', x)],
  [
    'dotGeneral: cannot contract axes [1] of [2,3] with axes [0] of [2,3]: lengths differ',
    () => dotGeneral(x, x, { contract: [[1], [0]], batch: [[], []] }),
  ],
  [
    'dotGeneral: batch axes [0] of [2,3] and [0] of [3,3] differ',
    () => dotGeneral(x, zeros([3, 3]), { contract: [[1], [1]], batch: [[0], [0]] }),
  ],
  ['averagePool: windows of [30,30] do not fit into [8,28,28,3] with padding [0,0]', () => averagePool(image, 30)],
  ['maxPool: windows of [2,30] do not fit into [8,28,28,3] with padding [0,0]', () => maxPool(image, [2, 30])],
  ['pixelUnshuffle: windows of [3,3] do not tile [8,28,28,3]', () => pixelUnshuffle(image, 3)],
  ['pixelShuffle: 3 channels do not divide by 4', () => pixelShuffle(image)],
  ['tensor: rows have different lengths: 1 where 2 is expected', () => tensor([[1, 2], [3]])],
  ['tensor: 3 values do not fill [2,2]', () => constant([1, 2, 3], { shape: [2, 2] })],
  ['a shape holds whole numbers ≥ 0, got [-1]', () => iota([-1], 0)],
]

describe('errors', () => {
  it.each(cases)('%s', (message, make) => {
    const thrown = ((): unknown => {
      try {
        return make()
      } catch (e) {
        return e
      }
    })()
    expect(thrown).toBeInstanceOf(Error)
    expect(thrown instanceof Error ? thrown.message : '').toBe(message)
    expect(thrown instanceof Error ? thrown.name : '').toMatch(/^(ShapeError|DTypeError|RangeError)$/)
  })
})
