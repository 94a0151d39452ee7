/** A backend states what kernels must keep to, and what it computes with: the compiler keeps to it, or says what cannot be. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkValues } from '../../proof/suites/values.ts'
import { checkCases, dataOf, type Held } from '../../proof/suites/suite.ts'
import type { Case } from '../../proof/registry/entry.ts'
import { subjects } from '../../proof/suites/index.ts'
import { batchAt, dataOfSeas } from '../../src/data/index.ts'
import { operandsOf, type Kernel } from '../../src/compiler/kernel.ts'
import { inScope } from '../../src/graph/scope.ts'
import { concatenate } from '../../src/tensor/combine.ts'
import { tensor, zeros } from '../../src/tensor/create.ts'
import { deviceOn, type Device } from '../../src/tensor/device.ts'
import { recordOrigins } from '../../src/graph/origin.ts'
import { key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { leaves } from '../../src/tensor/tree.ts'
import { initialState, recipeOf, stepperOn } from '../../src/train/index.ts'
import { tinyConfig } from '../train/tinyRun.ts'
import { boundedBackend, memoriesOf } from '../support/bounded.ts'
import { cpuDevice } from '../support/device.ts'

const bounded = (memories = 8): Device => deviceOn(boundedBackend(memories))

describe('a device of which a kernel touches 8 memories, and which has no f64', () => {
  it.each(
    subjects.flatMap(([kind, name, entry]) =>
      entry.dtypes.some((d) => d !== 'f64') ? [[kind, name, entry] as const] : [],
    ),
  )('computes %s %s as its oracle says', async (_kind, name, entry) => {
    const configuration = { name: 'bounded', open: bounded }
    const opened = [configuration, bounded()] as const
    const cases = fc.constantFrom(...entry.dtypes.filter((d) => d !== 'f64')).chain(entry.cases)
    const check = async (c: Case): Promise<Held> =>
      // The one thing that it cannot do is to cast to f64.
      c.build(...dataOf(c)).dtype === 'f64' ? { checks: 0, worst: 0 } : checkValues([opened], entry, c)
    const tally = await checkCases('values', name, cases, { seed: 1, runs: 12 }, check)
    expect(tally.worst).toBeLessThanOrEqual(1)
  })

  it('trains a network, with the bits of a device without bounds', async () => {
    const recipe = recipeOf(tinyConfig('unused'))
    const pictures = recipe.task.examples(batchAt(dataOfSeas({ seed: 0, width: 8, height: 8 }), 0, 2))
    const run = async (device: Device): Promise<readonly unknown[]> => {
      const state = await device.compile((k: ReturnType<typeof key>) => initialState(recipe, k))(key(0))
      const [next, { loss }] = await stepperOn(device, recipe).run(state, pictures, 1)
      return Promise.all(leaves([next, loss]).map((x) => device.read(x)))
    }
    expect(await run(bounded())).toEqual(await run(cpuDevice()))
  })
})

describe('kernels keep to the number of memories', () => {
  const many = Array.from({ length: 20 }, (_, i) => tensor([i, -i]))
  const sum = (xs: readonly Tensor[]): Tensor => xs.reduce((a, b) => a.add(b))

  it.each([5, 6, 8, 12])('of a sum of 20 arguments, with %i', async (memories) => {
    const device = bounded(memories)
    const plan = device.compile(sum).plan(many)
    const most = Math.max(...plan.kernels.map((kernel) => memoriesOf(plan, kernel)))
    expect([memories - 1, memories]).toContain(most)
    expect([...(await device.read(await device.compile(sum)(many)))]).toEqual([190, -190])
  })

  it('of 20 arguments in one array: some are copied first', async () => {
    const all = (xs: readonly Tensor[]): Tensor => concatenate(xs, 0)
    const device = bounded()
    expect(await device.read(await device.compile(all)(many))).toEqual(await cpuDevice().read(concatenate(many, 0)))
  })

  it('of which temporaries are one: a kernel may read more of them than it could bind', () => {
    const f = (x: Tensor, ...rows: readonly Tensor[]): Tensor => sum(rows.map((row) => x.matmul(row))).exp()
    const rows = Array.from({ length: 12 }, () => zeros([3, 3]))
    const plan = bounded()
      .compile(f)
      .plan(zeros([3, 3]), ...rows)
    const temporaries = (k: Kernel): number =>
      new Set(
        operandsOf(k).flatMap(({ buffer }) => (plan.buffers[buffer]?.placement.kind === 'temporary' ? [buffer] : [])),
      ).size
    expect(Math.max(...plan.kernels.map(temporaries))).toBe(11) // the sum ends the last product
  })
})

describe('a dtype that a device has not', () => {
  it('is refused when the function is compiled, by what makes it', async () => {
    const device = bounded()
    const f = device.compile((x: Tensor) => x.cast('f64').exp().sum().cast('f32'))
    expect(() => f.plan(zeros([3]))).toThrow(
      'cast is f64[3], and this device has no f64: cast to f32 before, or open a device that has it',
    )
    await expect(device.realize(zeros([2], 'f64').exp())).rejects.toThrow(', and this device has no f64: cast to f32')
  })

  it('is refused of an argument', () => {
    const f = bounded().compile((x: Tensor) => x.cast('f32'))
    expect(() => f.plan(zeros([3], 'f64'))).toThrow('an argument is f64[3], and this device has no f64')
  })

  it('is named with its layer where layers are recorded', () => {
    const stop = recordOrigins()
    try {
      const wide = (x: Tensor): Tensor => inScope('head', () => x.cast('f64')).sum()
      expect(() =>
        bounded()
          .compile(wide)
          .plan(zeros([2])),
      ).toThrow(/cast is f64\[2\], in layer head, made at .*bounded\.test\.ts/u)
    } finally {
      stop()
    }
  })
})
