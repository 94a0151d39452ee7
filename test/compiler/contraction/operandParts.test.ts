/** Operands of epilogues in the axes of the output. */
import { describe, expect, it } from 'vitest'
import { addresses } from '../../../src/compiler/addresses.ts'
import { operandParts } from '../../../src/compiler/contraction/operandParts.ts'
import { contiguous, type View } from '../../../src/compiler/view.ts'

describe('the parts of an operand', () => {
  it('are those of the output itself, where it walks as the output does', () => {
    const parts = operandParts(contiguous([30]), [2, 3, 5])
    expect(parts && [[...addresses(parts.batch)], [...addresses(parts.rows)], parts.step]).toEqual([
      [0, 15],
      [0, 5, 10],
      1,
    ])
  })

  it('of a bias are columns alone', () => {
    const bias: View = { offset: 0, shape: [2, 3, 5], strides: [0, 0, 1] }
    const parts = operandParts(bias, [2, 3, 5])
    expect(parts && [[...addresses(parts.batch)], [...addresses(parts.rows)], parts.step]).toEqual([
      [0, 0],
      [0, 0, 0],
      1,
    ])
  })

  it('add up to every address, also where a row of the output is cut by the axes of the view', () => {
    const view: View = { offset: 0, shape: [2, 3, 2, 4], strides: [24, 4, 12, 1] }
    const parts = operandParts(view, [1, 12, 4])
    const all = parts && [...addresses(parts.rows)].flatMap((row) => [0, 1, 2, 3].map((c) => row + c * parts.step))
    expect(all).toEqual([...addresses(view)])
  })

  it('do not exist where columns have no one step, or axes cross', () => {
    expect(operandParts({ offset: 0, shape: [3, 2, 2], strides: [4, 1, 2] }, [1, 3, 4])).toBeUndefined()
    expect(operandParts({ offset: 0, shape: [3, 8], strides: [1, 3] }, [1, 4, 6])).toBeUndefined()
  })
})
