/** The gradient of every operation on the GPU, beside cpu's: in f32, for finite differences need f64, which a GPU has not. */
import { describe, expect, it } from 'vitest'
import { specification } from '../../../proof/devices.ts'
import { compared, evaluate, inlined, isUndefined, type Subject } from '../../../proof/fuzz/checks.ts'
import type { Case, Entry } from '../../../proof/registry/entry.ts'
import { subjects } from '../../../proof/suites/index.ts'
import { checkCases, dataOf, inInputs, testVector, type Held } from '../../../proof/suites/suite.ts'
import { webgpu } from '../../../proof/webgpu.ts'
import { grad } from '../../../src/autograd/index.ts'
import { isFloat } from '../../../src/graph/dtype.ts'
import { reachable } from '../../../src/graph/traverse.ts'
import { constant } from '../../../src/tensor/create.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'

const candidate = await webgpu()
const gpu = candidate.open()
const cpu = specification.open()

/** The floats through which a gradient flows, by position. */
const floatsOf = ({ differentiableIn }: Entry, { inputs }: Case): readonly number[] =>
  [...inputs.keys()].filter((i) => {
    const { dtype = 'bool' } = inputs[i] ?? {}
    return isFloat(dtype) && (differentiableIn === 'floats' || differentiableIn.includes(i))
  })

/** Σ wᵢ·yᵢ², whose gradient depends on the point even where y is linear. */
const lossOf = (y: Tensor): Tensor =>
  y
    .square()
    .mul(constant(testVector(y.size, 1), { shape: y.shape, dtype: y.dtype }))
    .sum()

const gradientOf =
  (c: Case, at: readonly number[]): Subject =>
  (...xs) =>
    grad((moved: readonly Tensor[]) => lossOf(inInputs(c.build, xs, at)(...moved)))(at.flatMap((i) => xs[i] ?? []))

const has64 = (xs: readonly Tensor[]): boolean =>
  reachable(
    inlined(
      xs.map((x) => x.node),
      false,
    ),
  ).some(({ dtype }) => dtype === 'f64')

const check = async (entry: Entry, c: Case): Promise<Held> => {
  const [at, inputs] = [floatsOf(entry, c), dataOf(c)]
  if (at.length === 0 || !isFloat(c.build(...inputs).dtype)) return { checks: 0, worst: 0 }
  const f = gradientOf(c, at)
  if (has64(f(...inputs))) return { checks: 0, worst: 0 }
  const expected = await evaluate(cpu, 'compile', f, inputs)
  const found = await compared(candidate, gpu, 'compile', f, inputs, expected)
  if (found !== undefined && !(await isUndefined(f(...inputs).map((x) => x.node)))) throw new Error(found)
  return { checks: 1, worst: 0 }
}

const differentiable = subjects.filter(([, , { differentiableIn, dtypes }]) => {
  return differentiableIn.length > 0 && dtypes.includes('f32')
})

/** Cases of each subject; PROMISED=1 tries all five. What is made of primitives has fewer, and what has hundreds of kernels, as linear algebra, one. */
const runsOf = (kind: string, name: string): number => {
  if (process.env['PROMISED'] === '1' || kind === 'primitives') return 5
  return /^(?:cholesky|solve|solveTriangular|inverse|det|slogDet|logDet|qr|lstsq|ctcLoss)$/.test(name) ? 1 : 2
}

describe('gradients on the GPU', () => {
  it.each(differentiable)('of %s %s are cpu’s', async (kind, name, entry) => {
    const options = { seed: 1, runs: runsOf(kind, name) }
    const tally = await checkCases('gradients', name, entry.cases('f32'), options, (c) => check(entry, c))
    if (options.runs === 5) expect(tally.checks).toBeGreaterThan(0)
  })
})
