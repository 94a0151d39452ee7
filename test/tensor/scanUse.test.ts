/** Loops as they are used: inside of transformations and compiled functions, at their ends, what they cost, and what they refuse. */
import { describe, expect, it } from 'vitest'
import { wasmBackend } from '../../src/backends/wasm/whole.ts'
import { grad, jvp, valueAndGrad } from '../../src/autograd/grad.ts'
import { reachable } from '../../src/graph/traverse.ts'
import { hessian } from '../../src/autograd/jacobian.ts'
import { checkGrad } from '../../src/autograd/check.ts'
import { checkedBackend } from '../../src/backends/cpu/checked.ts'
import { bytesOf, flopsOf } from '../../src/compiler/cost.ts'
import type { LoopKernel } from '../../src/compiler/kernel.ts'
import type { Plan } from '../../src/compiler/plan.ts'
import { printPlan } from '../../src/compiler/print.ts'
import { printGraph } from '../../src/graph/print.ts'
import { range } from '../../src/prelude/array.ts'
import { call, checkpoint, customVjp } from '../../src/tensor/annotate.ts'
import { iota, scalar, tensor, zeros } from '../../src/tensor/create.ts'
import { deviceOn } from '../../src/tensor/device.ts'
import { foldIn, key, normal, split, uniform } from '../../src/tensor/random.ts'
import { scan } from '../../src/tensor/scan.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice } from '../support/device.ts'
import { unrolled } from '../support/loops.ts'

const device = cpuDevice()
const read = async (x: Tensor): Promise<number[]> => Array.from(await device.read(x), Number)

const loopsIn = ({ kernels }: Plan): readonly LoopKernel[] => kernels.flatMap((k) => (k.kind === 'loop' ? [k] : []))

/** hₜ = tanh(hₜ₋₁·W + xₜ), and the mean square of all. */
const network =
  (options: { readonly checkpoint?: boolean | number } = {}) =>
  (w: Tensor, xs: Tensor): Tensor => {
    const [, hs] = scan(
      (h: Tensor, x: Tensor) => {
        const next = h.matmul(w).add(x).tanh()
        return [next, next] as const
      },
      zeros([8, 32]),
      xs,
      options,
    )
    return hs.square().mean()
  }

describe('the plan of a loop', () => {
  const step = (turns: number, options = {}): Plan =>
    device.compile(valueAndGrad(network(options))).plan(zeros([32, 32]), zeros([turns, 8, 32]))

  it('has as many kernels for 1,000 turns as for 500, and is made in less than a second', () => {
    step(5) // warms up
    const start = performance.now()
    const long = step(1000)
    expect(performance.now() - start).toBeLessThan(1000)
    expect(long.kernels.length).toBe(step(500).kernels.length)
    expect(loopsIn(long).map((k) => k.turns)).toEqual([1000, 1000])
  })

  it('runs the forward loop once, for values and residuals together', () => {
    const [forward, backward] = loopsIn(step(10))
    expect([forward?.reverse, backward?.reverse]).toEqual([false, true])
  })

  it('shares the loop of two functions that run the same one', () => {
    const both = (w: Tensor, xs: Tensor): readonly Tensor[] => [network()(w, xs), grad(network())(w, xs)]
    expect(loopsIn(device.compile(both).plan(zeros([32, 32]), zeros([10, 8, 32])))).toHaveLength(2)
  })

  it('computes nothing that nobody asks for', () => {
    const unused = (xs: Tensor): Tensor =>
      scan(
        ({ a, b }: { readonly a: Tensor; readonly b: Tensor }, x: Tensor) =>
          [
            {
              a: a.add(x),
              b: b
                .mul(x)
                .exp()
                .matmul(zeros([4, 4])),
            },
            x.sin(),
          ] as const,
        { a: zeros([4, 4]), b: zeros([4, 4]) },
        xs,
      )[0].a
    const [loop] = loopsIn(device.compile(unused).plan(zeros([5, 4, 4])))
    expect(loop?.body.kernels.map((k) => k.computes)).toEqual(['add'])
  })

  it('writes a carry over itself where the turn allows it, and into two places in turn where not', () => {
    const plan = (body: (c: Tensor) => Tensor): LoopKernel | undefined =>
      loopsIn(
        device
          .compile((c: Tensor) => scan((c: Tensor) => [body(c), undefined], c, undefined, { length: 4 })[0])
          .plan(zeros([4, 4])),
      )[0]
    expect(plan((c) => c.mul(2))?.carries[0]?.spare).toBeUndefined()
    expect(plan((c) => c.matmul(c))?.carries[0]?.spare).toBeDefined()
  })

  it('counts its work and traffic in every turn', () => {
    const plan = device
      .compile((c: Tensor) => scan((c: Tensor) => [c.mul(2), undefined], c, undefined, { length: 10 })[0])
      .plan(zeros([100]))
    expect(flopsOf(plan)).toBe(1000)
    expect(plan.kernels.map((k) => bytesOf(plan, k))).toEqual([8000])
  })

  it('is printed with the kernels of its body set in', () => {
    const plan = device.compile(network()).plan(zeros([32, 32]), zeros([10, 8, 32]))
    const lines = printPlan(plan).split('\n')
    expect(lines.filter((line) => line.startsWith('loop'))).toHaveLength(1)
    expect(lines.filter((line) => line.startsWith('  gemm'))).toHaveLength(1)
    expect(
      printPlan(
        plan,
        plan.kernels.map(() => ({})),
      ),
    ).toContain('computed with')
    const [c] = scan((c: Tensor, x: Tensor) => [c.add(x), c], scalar(0), tensor([1, 2]), { reverse: true })
    expect(printGraph([c.node])).toContain('scan %0 %1 (2 turns backwards → carry 0) : f32[]')
  })
})

describe('memory', () => {
  const arena = (turns: number, options = {}): number =>
    device.compile(valueAndGrad(network(options))).plan(zeros([32, 32]), zeros([turns, 8, 32])).arenaBytes

  it('grows with the length of a loop, and with checkpoints with its square root', () => {
    const [short, long] = [arena(100), arena(1600)]
    expect(long / short).toBeGreaterThan(15)
    // The stack of all h is a result of the loop, and of the gradient: what is left without it is what is kept.
    const last =
      (options = {}): ((w: Tensor, xs: Tensor) => Tensor) =>
      (w, xs) =>
        scan((h: Tensor, x: Tensor) => [h.matmul(w).add(x).tanh(), undefined], zeros([8, 32]), xs, options)[0].sum()
    const kept = (turns: number): number =>
      device.compile(grad(last({ checkpoint: true }))).plan(zeros([32, 32]), zeros([turns, 8, 32])).arenaBytes
    const bytes = [100, 400, 1600].map(kept)
    expect((bytes[1] ?? 0) / (bytes[0] ?? 1)).toBeLessThan(2.1)
    expect((bytes[2] ?? 0) / (bytes[1] ?? 1)).toBeLessThan(2.1)
    expect((bytes[2] ?? 0) / (bytes[0] ?? 1)).toBeGreaterThan(2)
    expect(bytes[2]).toBeLessThan(
      device.compile(grad(last())).plan(zeros([32, 32]), zeros([1600, 8, 32])).arenaBytes / 8,
    )
  })

  it('holds what a body keeps to itself once', () => {
    const wide = (turns: number): number =>
      device
        .compile(
          (xs: Tensor) =>
            scan((c: Tensor, x: Tensor) => [x.matmul(x).sin().matmul(x).sum().add(c), undefined], scalar(0), xs)[0],
        )
        .plan(zeros([turns, 64, 64])).arenaBytes
    expect(wide(1000)).toBe(wide(2))
  })
})

describe('inside of a body', () => {
  it('numbers are drawn from keys that are carried, or folded with the index', async () => {
    const drawn = (loop: typeof scan): readonly Tensor[] => {
      const [, a] = loop(
        (k: Tensor) => {
          const [next, own] = split(k)
          return [next, uniform(own, [3])] as const
        },
        key(7),
        undefined,
        { length: 4 },
      )
      const [, b] = loop(
        (c: Tensor, i: Tensor) => [c, normal(foldIn(key(1), i), [2])] as const,
        scalar(0),
        iota([4], 0, 'u32'),
      )
      return [a, b]
    }
    const [found, wanted] = [drawn(scan), drawn(unrolled)]
    for (const i of range(2)) expect(await read(found[i] ?? zeros([]))).toEqual(await read(wanted[i] ?? zeros([])))
  })

  it('derivatives of their own, stopped gradients, calls and checkpoints keep their meaning, twice differentiated too', async () => {
    const straight = customVjp(
      (x: Tensor) => x.mul(10).floor().div(10),
      (_, g: Tensor): [Tensor] => [g.mul(2)],
    )
    const named = call('named', (x: Tensor) => x.sin().mul(x))
    const again = checkpoint((x: Tensor, y: Tensor) => x.mul(y).exp().sin())
    const f =
      (loop: typeof scan) =>
      (w: Tensor): Tensor => {
        const [c, ys] = loop(
          (c: Tensor, x: Tensor) => {
            const next = named(straight(c.mul(w)).add(x))
              .add(again(c, w).mul(0.3))
              .add(c.stopGradient().mul(w))
            return [next, next.mul(w.stopGradient())] as const
          },
          scalar(0.3, 'f64'),
          tensor([0.1, 0.2, 0.35], { dtype: 'f64' }),
        )
        return c.add(ys.square().sum())
      }
    const w = scalar(0.7, 'f64')
    for (const of of [f, (loop: typeof scan) => grad(f(loop)), (loop: typeof scan) => grad(grad(f(loop)))]) {
      const [found, wanted] = [await read(of(scan)(w)), await read(of(unrolled)(w))]
      expect(found[0]).toBeCloseTo(wanted[0] ?? NaN, 10)
    }
  })

  it('halves from outside have gradients of halves, summed in f32, also behind what computes with halves', async () => {
    const f =
      (loop: typeof scan) =>
      (w: Tensor): Tensor => {
        const outside = w.sin()
        return loop(
          (c: Tensor, x: Tensor) => [c.mul(0.5).add(x.mul(outside)).tanh(), c],
          zeros([4], 'f16'),
          normal(key(1), [40, 4], 'f16'),
        )[0]
          .cast('f32')
          .sum()
      }
    const w = tensor([0.1, 0.2, 0.3, 0.4], { dtype: 'f16' })
    const [found, wanted] = [grad(f(scan))(w), grad(f(unrolled))(w)]
    expect(found.dtype).toBe('f16')
    const [a, b] = [await read(found), await read(wanted)]
    a.forEach((x, i) => {
      expect(Math.abs(x - (b[i] ?? NaN))).toBeLessThan(4e-3)
    })
  })

  it('a gradient is taken: steps of descent as a loop, and the derivative of all of them', async () => {
    const descent =
      (loop: typeof scan) =>
      (rate: Tensor): Tensor =>
        loop(
          (x: Tensor) => [x.sub(grad((x: Tensor) => x.sub(3).square().square().sum())(x).mul(rate)), x] as const,
          tensor([1, 2], { dtype: 'f64' }),
          undefined,
          { length: 6 },
        )[0].sum()
    const rate = scalar(0.02, 'f64')
    expect((await read(grad(descent(scan))(rate)))[0]).toBeCloseTo(
      (await read(grad(descent(unrolled))(rate)))[0] ?? NaN,
      10,
    )
    expect((await read(hessian(descent(scan))(rate)))[0]).toBeCloseTo(
      (await read(hessian(descent(unrolled))(rate)))[0] ?? NaN,
      8,
    )
  })

  it('gradients agree with finite differences', async () => {
    const f = ({ w, h }: { readonly w: Tensor; readonly h: Tensor }): Tensor =>
      scan((h: Tensor) => [h.matmul(w).sin().add(h), h.square().sum()] as const, h, undefined, {
        length: 4,
        checkpoint: 2,
      })[1].sum()
    const at = { w: normal(key(1), [3, 3], 'f64').mul(0.5), h: normal(key(2), [2, 3], 'f64') }
    await expect(checkGrad(device, f, [at])).resolves.toBeUndefined()
  })
})

describe('segments', () => {
  it.each([false, true])(
    'change no value, also where they do not divide the length; backwards: %s',
    async (reverse) => {
      const run = (checkpoint: boolean | number): readonly Tensor[] => {
        const [c, ys] = scan(
          (c: Tensor, x: Tensor) => [c.mul(0.5).add(x), { both: [c, x.mul(c)] }] as const,
          scalar(1),
          iota([7], 0, 'f32'),
          { reverse, checkpoint },
        )
        return [c, ...ys.both]
      }
      for (const size of [true, 1, 2, 3, 7, 100])
        for (const [i, x] of run(size).entries()) expect(await read(x)).toEqual(await read(run(false)[i] ?? x))
    },
  )
})

describe('at the ends', () => {
  it('no turns leave the carry, and stack nothing', async () => {
    const [c, ys] = scan((c: Tensor, x: Tensor) => [c.add(x), { y: x.cast('i32') }], scalar(5), zeros([0]), {
      checkpoint: true,
    })
    expect(await read(c)).toEqual([5])
    expect([ys.y.shape, ys.y.dtype]).toEqual([[0], 'i32'])
    const g = grad((x: Tensor) => scan((c: Tensor) => [c.mul(x), c], x, undefined, { length: 0 })[0])(scalar(2))
    expect(await read(g)).toEqual([1])
  })

  it('NaN and infinities go through, and a loop that makes one is named by a checked device', async () => {
    const [, ys] = scan(
      (c: Tensor, x: Tensor) => [c.maximum(x), c.add(x)],
      scalar(-Infinity),
      tensor([1, NaN, 2, Infinity]),
    )
    expect(await read(ys)).toEqual([-Infinity, NaN, NaN, NaN])
    const checked = deviceOn(checkedBackend('cpu', 'nan'))
    const logs = scan((c: Tensor, x: Tensor) => [c, c.sub(x).log()], scalar(1), tensor([0, 2]))[1]
    await expect(checked.read(logs)).rejects.toThrow(/scan makes NaN in f32\[2\]/)
    await checked.close()
  })

  it('runs in a compiled function with a donated state, again and again', async () => {
    const wasm = deviceOn(wasmBackend())
    const step = wasm.compile(
      (s: Tensor, xs: Tensor): readonly [Tensor, Tensor] =>
        scan((c: Tensor, x: Tensor) => [c.mul(0.5).add(x), c.sum()], s, xs),
      { donate: [0] },
    )
    let state = tensor([0, 0, 0])
    for (let i = 0; i < 5; i++)
      state = (
        await step(
          state,
          tensor([
            [1, 2, 3],
            [4, 5, 6],
          ]),
        )
      )[0]
    const all = tensor(range(10).map((i) => (i % 2 === 0 ? [1, 2, 3] : [4, 5, 6])))
    const [wanted] = unrolled((c: Tensor, x: Tensor) => [c.mul(0.5).add(x), c], zeros([3]), all)
    expect(Array.from(await wasm.read(state))).toEqual(await read(wanted))
    const profile = await step.profile(tensor([0, 0, 0]), zeros([2, 3]))
    expect(profile.milliseconds).toHaveLength(profile.plan.kernels.length)
    await wasm.close()
  })

  it('jvp with a checkpoint leaves nothing of the first pullback', async () => {
    const f = (x: Tensor): Tensor => scan((c: Tensor) => [c.sin(), c], x, undefined, { length: 9, checkpoint: true })[0]
    const g = (x: Tensor): Tensor => scan((c: Tensor) => [c.sin(), c], x, undefined, { length: 9 })[0]
    const [a, b] = [jvp(f, [scalar(0.5)], [scalar(1)]), jvp(g, [scalar(0.5)], [scalar(1)])]
    expect((await read(a.tangent))[0]).toBeCloseTo((await read(b.tangent))[0] ?? NaN, 6)
  })

  it.each([false, true])(
    'jvp of a loop goes through it once, whatever is asked of it (checkpoint: %s)',
    (checkpoint) => {
      const f = (x: Tensor): readonly Tensor[] => {
        const body = (c: { readonly h: Tensor; readonly s: Tensor }): readonly [typeof c, Tensor] => {
          const h = c.h.sin()
          return [{ h, s: c.s.mul(0.5).add(h) }, h.exp()]
        }
        const [{ h, s }, ys] = scan(body, { h: x, s: x.mul(2) }, undefined, { length: 9, checkpoint })
        return [h, s, ys]
      }
      const loopsFor = (results: readonly Tensor[]): number => {
        const scans = reachable(results.map((x) => x.node)).flatMap((node) => (node.op === 'scan' ? [node] : []))
        return new Set(scans.map(({ inputs }) => inputs)).size
      }
      const all = jvp(f, [scalar(0.5)], [scalar(1)]).tangent
      expect(loopsFor(all)).toBe(loopsFor(all.slice(0, 1)))
    },
  )
})

describe('what is refused', () => {
  const sum = (c: Tensor, x: Tensor): readonly [Tensor, undefined] => [c.add(x), undefined]

  it.each([
    [
      'lengths that differ',
      () =>
        scan((c: Tensor, x: { readonly a: Tensor; readonly b: Tensor }) => [c.add(x.a).add(x.b), c], scalar(0), {
          a: zeros([3]),
          b: zeros([4]),
        }),
      "scan: 'b' of xs is [4], 4 along axis 0, and 'a' of xs is 3",
    ],
    [
      'a length that is another',
      () => scan(sum, scalar(0), zeros([3]), { length: 4 }),
      'scan: xs is [3], 3 along axis 0, and length is 4',
    ],
    ['a scalar to go over', () => scan(sum, scalar(0), scalar(1)), 'scan: xs is a scalar'],
    [
      'no length',
      () => scan((c: Tensor) => [c, c], scalar(0), undefined),
      'scan: without xs it must be told the number of turns',
    ],
    [
      'a length that is none',
      () => scan((c: Tensor) => [c, c], scalar(0), undefined, { length: 1.5 }),
      'scan: length is a whole number of turns, got 1.5',
    ],
    [
      'segments of no turns',
      () => scan(sum, scalar(0), zeros([3]), { checkpoint: 0 }),
      'scan: checkpoint is true, or a whole number of turns from 1 on, got 0',
    ],
    [
      'a carry of another shape',
      () => scan((c: { readonly h: Tensor }, x: Tensor) => [{ h: c.h.add(x) }, x], { h: scalar(0) }, zeros([3, 2])),
      "scan: 'h' of the carry is f32[] before a turn and f32[2] behind it",
    ],
    [
      'a carry of another dtype',
      () => scan((c: Tensor, x: Tensor) => [c.add(x).cast('f64'), x], scalar(0), zeros([3])),
      'scan: the carry is f32[] before a turn and f64[] behind it',
    ],
    [
      'a number that changes',
      () => scan(({ n }: { readonly n: number }, x: Tensor) => [{ n: n + 1 }, x], { n: 0 }, zeros([3])),
      "scan: 'n' of the carry is 0 before a turn and 1 behind it",
    ],
    [
      'a body without a pair',
      () => scan((c: Tensor) => c as never, scalar(0), zeros([3])),
      'scan: the body must return [carry, y]',
    ],
  ])('%s', (_, f, message) => {
    expect(f).toThrow(message)
  })

  it('a tensor of the body that got out', async () => {
    let out = scalar(0)
    const [c] = scan((c: Tensor, x: Tensor) => [c.add((out = x)), c], scalar(0), zeros([3]))
    await expect(device.realize(c.add(out))).rejects.toThrow('while another function was traced')
  })

  it('data from outside, in a compiled function', async () => {
    const data = tensor([1, 2, 3])
    const f = device.compile(
      (x: Tensor) => scan((c: Tensor, v: Tensor) => [c.add(data.sum()).mul(v), c], scalar(0), x)[0],
    )
    await expect(f(zeros([3]))).rejects.toThrow('that is not one of its arguments')
  })
})
