/** Every primitive against an oracle: values in all dtypes, first and second derivatives in f64, adjoints of the linear ones. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DType } from '../../src/graph/dtype.ts'
import { inferRules } from '../../src/graph/infer.ts'
import { makeNode } from '../../src/graph/node.ts'
import type { OpName } from '../../src/graph/ops.ts'
import { checkGrad, vjp } from '../../src/autograd/index.ts'
import { interpretRules } from '../../src/backends/cpu/interpret.ts'
import { constant } from '../../src/tensor/create.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { count, stored, toTensor, type NdArray } from '../../proof/array.ts'
import { cpuForms } from '../support/device.ts'
import { primitives, type OpCase } from '../../proof/registry/primitives.ts'

const names = Object.keys(primitives) as readonly OpName[]

const precision: { readonly [K in DType]: number } = {
  f64: 2 ** -45,
  f32: 2 ** -22,
  f16: 2 ** -9,
  i32: 0,
  u32: 0,
  u8: 0,
  bool: 0,
}

const differs = (got: number, expected: number, dtype: DType, exact: boolean): boolean =>
  !(
    Object.is(got, expected) ||
    got === expected ||
    (!exact && Math.abs(got - expected) <= precision[dtype] * Math.max(1, Math.abs(expected)))
  )

const expectOracle = (got: ArrayLike<number>, dtype: DType, { inputs, oracle }: OpCase, exact: boolean): void => {
  const expected = oracle(...inputs).map((x) => stored(dtype, x))
  const wrong = expected.findIndex((x, i) => differs(got[i] ?? NaN, x, dtype, exact))
  expect(got.length).toBe(expected.length)
  expect(wrong === -1 ? 'equal' : `element ${wrong}: got ${got[wrong]}, expected ${expected[wrong]}`).toBe('equal')
}

/** Elements in all inputs: derivatives are checked where that is cheap. */
const inputSize = ({ inputs }: OpCase): number => inputs.reduce((sum, x) => sum + count(x.shape), 0)

const weighted = (y: Tensor): Tensor =>
  y
    .mul(
      constant(
        Float64Array.from({ length: y.size }, (_, i) => Math.sin(i + 1)),
        { shape: y.shape },
      ),
    )
    .sum()

/** Σ wᵢ·yᵢ²: a loss whose gradient depends on the point even where y is linear. */
const quadratic =
  (c: OpCase) =>
  (...xs: readonly Tensor[]): Tensor =>
    weighted(c.build(...xs).square())

const gradientOf =
  (c: OpCase) =>
  (...xs: readonly Tensor[]): readonly Tensor[] => {
    const traced = vjp(quadratic(c), ...xs)
    return traced.pullback(constant(1, { dtype: 'f64' })).filter((g) => g.dtype === 'f64')
  }

const inner = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, x, i) => sum + x * (b[i] ?? NaN), 0)

const testVector = (size: number, phase: number): readonly number[] =>
  Array.from({ length: size }, (_, i) => Math.cos(phase + i))

describe('the table of primitives', () => {
  it('has an entry in this suite for every primitive', () => {
    expect([...names].toSorted()).toEqual(Object.keys(inferRules).toSorted())
    expect([...names].toSorted()).toEqual(Object.keys(interpretRules).toSorted())
  })
})

describe.each(cpuForms)('primitives on cpu, %s', (_, open) => {
  const device = open()

  it.each(names)('%s: equals its oracle in every dtype, compiled and realized', async (name) => {
    const { dtypes, cases, exact } = primitives[name]
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...dtypes).chain(cases), async (c) => {
        const inputs = c.inputs.map(toTensor)
        const compiled = await device.compile((...xs: readonly Tensor[]) => c.build(...xs))(...inputs)
        const values = await device.read(compiled)
        expectOracle(values, compiled.dtype, c, exact)
        expect(await device.read(c.build(...inputs))).toEqual(values)
      }),
      { seed: 1, numRuns: name === 'conv' || name === 'dotGeneral' ? 500 : 60 },
    )
  })
})

const derivativeCases = (name: OpName): fc.Arbitrary<OpCase> =>
  primitives[name].cases('f64').filter((c) => inputSize(c) <= 24)

describe.each(cpuForms)('derivatives on cpu, %s', (form, open) => {
  const device = open()
  const differentiable = names.filter((n) => primitives[n].differentiable)

  it.each(differentiable)(
    '%s: the gradient agrees with finite differences, and so does the gradient of the gradient',
    async (name) => {
      await fc.assert(
        fc.asyncProperty(derivativeCases(name), async (c) => {
          const inputs = c.inputs.map(toTensor)
          await checkGrad(device, c.build, inputs)
          await checkGrad(device, gradientOf(c), inputs, { absolute: 1e-8 })
        }),
        { seed: 2, numRuns: form === 'fused' ? (name === 'conv' ? 60 : 12) : 2 },
      )
    },
  )
})

describe('adjoints', () => {
  const [, open] = cpuForms[0] ?? []
  const device = open?.()
  const linear = names.filter((n) => primitives[n].linearIn.length > 0)

  it.each(linear)('%s: ⟨ct, J·v⟩ = ⟨Jᵀ·ct, v⟩ for each input in which it is linear', async (name) => {
    if (device === undefined) throw new Error('there is no cpu')
    await fc.assert(
      fc.asyncProperty(primitives[name].cases('f64'), async (c) => {
        for (const k of primitives[name].linearIn) {
          const v: NdArray = { ...(c.inputs[k] as NdArray), data: testVector(count(c.inputs[k]?.shape ?? []), 0.3) }
          const inputs = c.inputs.map((x, i) => toTensor(i === k ? v : x))
          const forward = c.build(...inputs)
          const ct = testVector(forward.size, 1.7)
          const { pullback } = vjp(c.build, ...inputs)
          const pulled = pullback(constant(Float64Array.from(ct), { shape: forward.shape }))[k]
          if (pulled === undefined) throw new Error('no cotangent')
          const [left, right] = [inner(ct, await device.read(forward)), inner(await device.read(pulled), v.data)]
          expect(Math.abs(left - right)).toBeLessThanOrEqual(1e-10 * Math.max(1, Math.abs(left)))
        }
      }),
      { seed: 3, numRuns: 25 },
    )
  })

  it.each(['floor', 'stopGradient', 'less', 'equal'] as const)('%s: lets no gradient through', async (name) => {
    if (device === undefined) throw new Error('there is no cpu')
    await fc.assert(
      fc.asyncProperty(primitives[name].cases('f64'), async (c) => {
        const inputs = c.inputs.map(toTensor)
        const { pullback } = vjp((...xs: readonly Tensor[]) => c.build(...xs).cast('f64'), ...inputs)
        const y = c.build(...inputs)
        for (const g of pullback(constant(new Float64Array(y.size).fill(1), { shape: y.shape })))
          expect([...(await device.read(g))].every((e) => e === 0)).toBe(true)
      }),
      { seed: 4, numRuns: 10 },
    )
  })
})

describe('barrier', () => {
  it('passes the cotangent to its first input and none to its second', () => {
    const x = constant([1, 2], { dtype: 'f64' })
    const { pullback } = vjp((a: Tensor, b: Tensor) => new Tensor(makeNode('barrier', {}, [a.node, b.node])), x, x)
    const g = constant([3, 4], { dtype: 'f64' })
    const [first, second] = pullback(g)
    expect(first.node).toBe(g.node)
    expect(second.node.op).toBe('broadcast')
  })
})
