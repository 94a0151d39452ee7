/** Results have the dtype that their primitive says, whatever their operands have. */
import { describe, expect, it } from 'vitest'
import type { DType } from '../../src/graph/dtype.ts'
import { argmax, argsort } from '../../src/tensor/combine.ts'
import { full, iota, oneHot } from '../../src/tensor/create.ts'
import { cumsum } from '../../src/tensor/cumsum.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'

const numbers: readonly DType[] = ['f16', 'f32', 'f64', 'i32', 'u32', 'u8']
const all: readonly DType[] = [...numbers, 'bool']

const found = (dtypes: readonly DType[], f: (x: Tensor) => Tensor): readonly DType[] =>
  dtypes.map((dtype) => f(full([2, 3], 1, dtype)).dtype)

describe('dtypes', () => {
  it('comparisons are bool', () => {
    for (const f of [(x: Tensor) => x.less(x), (x: Tensor) => x.equal(x), (x: Tensor) => x.greater(x)])
      expect(found(all, f)).toEqual(all.map(() => 'bool'))
  })

  it('indices are i32', () => {
    for (const f of [(x: Tensor) => argsort(x), (x: Tensor) => argmax(x, 0)])
      expect(found(['f16', 'f32', 'f64', 'i32'], f)).toEqual(['i32', 'i32', 'i32', 'i32'])
    expect(iota([3], 0).dtype).toBe('i32')
  })

  it('arithmetic, reductions and movement keep the dtype', () => {
    const keeping: readonly ((x: Tensor) => Tensor)[] = [
      (x) => x.add(x),
      (x) => x.rem(x),
      (x) => x.maximum(x),
      (x) => x.max(1, true),
      (x) => x.transpose(),
      (x) => x.less(x).select(x, x),
      (x) => x.matmul(x.transpose()),
    ]
    for (const f of keeping) expect(found(numbers, f)).toEqual(numbers)
  })

  it('sums keep the dtype, but for bytes, whose sums are i32', () => {
    for (const f of [(x: Tensor) => x.sum(0), (x: Tensor) => x.sum([]), (x: Tensor) => cumsum(x)])
      expect(found(numbers, f)).toEqual(numbers.map((d) => (d === 'u8' ? 'i32' : d)))
  })

  it('a cast and a choice of classes have the dtype that is asked for', () => {
    for (const to of all) expect(found(all, (x) => x.cast(to))).toEqual(all.map(() => to))
    expect(oneHot(iota([3], 0), 4, 'bool').dtype).toBe('bool')
  })
})
