/** Reverse mode is the transpose of the operation, and of forward mode. */
import { describe, expect, it } from 'vitest'
import { vjp } from '../../src/autograd/index.ts'
import { makeNode } from '../../src/graph/node.ts'
import { constant } from '../../src/tensor/create.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { prove } from './prove.ts'

describe('adjoints', () => {
  prove('adjoint', '⟨ct, J·v⟩ = ⟨Jᵀ·ct, v⟩, and nothing flows through inputs without a gradient', { least: 3300 })
})

describe('barrier', () => {
  it('passes the cotangent itself to its first input and zeros to its second', () => {
    const x = constant([1, 2], { dtype: 'f64' })
    const { pullback } = vjp((a: Tensor, b: Tensor) => new Tensor(makeNode('barrier', {}, [a.node, b.node])), x, x)
    const g = constant([3, 4], { dtype: 'f64' })
    const [first, second] = pullback(g)
    expect(first.node).toBe(g.node)
    expect(second.node.op).toBe('broadcast')
  })
})
