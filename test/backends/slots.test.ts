/** Where the buffers of a plan lie. */
import { describe, expect, it } from 'vitest'
import { bytesBeside, placesOf, slotsOf } from '../../src/backends/slots.ts'
import { tensor, zeros } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice } from '../support/device.ts'

const padded = (bytes: number): number => Math.max(256, Math.ceil(bytes / 256) * 256)

describe('the slots of a plan', () => {
  const f = cpuDevice().compile((x: Tensor, y: Tensor) => [
    x
      .matmul(y)
      .sum(0)
      .add(tensor([1, 2, 3])),
    y.exp(),
  ])
  const plan = f.plan(zeros([4, 5]), zeros([5, 3]))

  it('are the arguments, the outputs, the arena and the scratch memory', () => {
    expect(slotsOf(plan)).toEqual({ arena: 4, scratch: 5, count: 6 })
  })

  it('have the buffers as the plan has placed them, and literals lie in a block of their own', () => {
    const expected = plan.buffers.map(({ placement: p }) =>
      p.kind === 'argument'
        ? { slot: p.index, offset: 0 }
        : p.kind === 'output'
          ? { slot: 2 + p.index, offset: 0 }
          : { slot: p.kind === 'temporary' ? 4 : 'literals', offset: p.offset },
    )
    expect(placesOf(plan)).toEqual(expected)
    expect(new Set(plan.buffers.map((b) => b.placement.kind))).toContain('temporary')
  })

  it('need the bytes of outputs that lie apart, and of the arena', () => {
    expect(bytesBeside(plan, padded)).toBe(256 + 256 + padded(plan.arenaBytes))
    const over = cpuDevice().compile((x: Tensor) => x.add(1), { donate: [0] })
    expect(bytesBeside(over.plan(zeros([4])), padded)).toBe(0)
  })
})
