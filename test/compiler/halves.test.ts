/** Halves stay halves while they are moved, and are written as such where several kernels widen them. */
import { describe, expect, it } from 'vitest'
import { printPlan } from '../../src/compiler/print.ts'
import type { OpName } from '../../src/graph/ops.ts'
import { concatenate } from '../../src/tensor/combine.ts'
import { tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { checkpoint } from '../../src/tensor/annotate.ts'
import { grad } from '../../src/autograd/grad.ts'
import { cpuDevice, stepByStep, values } from '../support/device.ts'

const device = cpuDevice()
const asWritten = cpuDevice({ passes: { rewrite: false } })

const x = tensor(
  Float32Array.from({ length: 24 }, (_, i) => (i - 11) / 7),
  { shape: [2, 3, 4] },
)
const half = x.cast('f16')

const movements: readonly (readonly [OpName, (x: Tensor) => Tensor])[] = [
  ['reshape', (y) => y.reshape([6, 4])],
  ['transpose', (y) => y.transpose([2, 0, 1])],
  ['reverse', (y) => y.reverse([1])],
  ['slice', (y) => y.slice([], [1, 3])],
  ['pad', (y) => y.pad([0, 1, 2], [1, 0, 0])],
  ['broadcast', (y) => y.expandDims(0).broadcastTo([5, 2, 3, 4])],
  ['concatenate', (y) => concatenate([y, y.mul(2).cast('f16').cast('f32')], 1)],
]

/** `op dtype` of all nodes that are made. */
const madeBy = (f: (x: Tensor) => Tensor, input: Tensor): readonly string[] =>
  device
    .compile(f)
    .plan(input)
    .program.nodes.filter((n) => n.op !== 'parameter' && n.op !== 'constant')
    .map((n) => `${n.op} ${n.dtype}`)

describe('a half that is widened and then moved', () => {
  it.each(movements)('is moved first: %s', async (op, move) => {
    const f = (h: Tensor): Tensor => move(h.cast('f32'))
    const made = madeBy(f, half)
    expect(made).toContain(`${op} f16`)
    expect(made).not.toContain(`${op} f32`)
    expect(made.at(-1)).toBe('cast f32')
    expect(await values(await device.compile(f)(half), device)).toEqual(
      await values(await asWritten.compile(f)(half), asWritten),
    )
  })

  it('stays as it is beside what is no half', () => {
    const made = madeBy((h) => concatenate([h.cast('f32'), h.cast('f32').exp()], 0), half)
    expect(made).toContain('concatenate f32')
    expect(made).not.toContain('concatenate f16')
  })

  it('is kept as a half for a checkpoint', () => {
    const layer = checkpoint((y: Tensor) => y.mul(2).sin().sin())
    const f = (w: Tensor): Tensor => grad((y: Tensor) => layer(y.exp().cast('f16').cast('f32')).sum())(w)
    expect(madeBy(f, x)).toContain('barrier f16')
    expect(madeBy(f, x)).not.toContain('barrier f32')
  })
})

describe('a value that is moved and then rounded to a half', () => {
  it.each(movements)('is rounded first: %s', async (op, move) => {
    const f = (y: Tensor): Tensor => move(y).cast('f16').cast('f32').neg()
    const made = madeBy(f, x)
    expect(made).toContain(`${op} f16`)
    expect(made).not.toContain(`${op} f32`)
    expect(await values(await device.compile(f)(x), device)).toEqual(
      await values(await asWritten.compile(f)(x), asWritten),
    )
  })

  it('is rounded last where it is a small part of what it was cut from', () => {
    expect(madeBy((y) => y.slice([0, 1], [0, 1]).cast('f16').neg(), x)).toEqual(['slice f32', 'cast f16', 'neg f16'])
  })

  it('f32 is never narrowed for the sake of f64', () => {
    expect(madeBy((y) => y.transpose([1, 0, 2]).cast('f64'), x)).toEqual(['transpose f32', 'cast f64'])
  })
})

describe('there and back', () => {
  it('is nothing for a half, and rounds an f32', async () => {
    expect(madeBy((h) => h.cast('f32').cast('f16'), half)).toEqual([])
    const third = tensor([1 / 3])
    expect(await values(await device.compile((y: Tensor) => y.cast('f16').cast('f32'))(third), device)).toEqual([
      0.333251953125,
    ])
  })
})

describe('a half that several kernels widen', () => {
  it('is written as a half, and the plan says why', () => {
    const plan = cpuDevice({ passes: stepByStep })
      .compile((y: Tensor) => {
        const wide = y.exp().cast('f16').cast('f32')
        return [wide.sum(0), wide.sum(2)] as const
      })
      .plan(x)
    expect(printPlan(plan)).toContain('several values need it, and each widens it')
    const temporaries = plan.buffers.filter(({ placement }) => placement.kind === 'temporary')
    expect(temporaries.map(({ dtype, length }) => [dtype, length])).toEqual([['f16', 24]])
  })
})
