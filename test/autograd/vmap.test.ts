/** vmap: which axes it maps, what it says of mistakes, indices and random numbers. */
import { describe, expect, it } from 'vitest'
import { grad, vmap } from '../../src/autograd/index.ts'
import { gather, scatterAdd, stack } from '../../src/tensor/combine.ts'
import { conv2d } from '../../src/tensor/convolution.ts'
import { constant, scalar, tensor, zeros } from '../../src/tensor/create.ts'
import { bernoulli, categorical, foldIn, key, normal, randint, split, uniform } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../support/device.ts'

const xs = tensor([
  [1, 2],
  [3, 4],
  [5, 6],
])
const dot = (x: Tensor, y: Tensor): Tensor => x.mul(y).sum()
const i32 = (numbers: readonly number[], shape: readonly number[] = [numbers.length]): Tensor =>
  tensor(Int32Array.from(numbers), { shape })

describe('vmap: axes', () => {
  it('maps axis 0 of every leaf unless it is told otherwise, and stacks results at axis 0', async () => {
    const f = ({ a, b }: { readonly a: Tensor; readonly b: readonly Tensor[] }) => ({
      sum: b.reduce((s, x) => s.add(x), a),
      twice: [a.mul(2)],
    })
    const { sum, twice } = vmap(f)({ a: xs, b: [xs, xs.mul(10)] })
    expect(await values(sum)).toEqual([12, 24, 36, 48, 60, 72])
    expect(await Promise.all(twice.map((x) => values(x)))).toEqual([[2, 4, 6, 8, 10, 12]])
  })

  it('maps any axis, counted from either end, of each argument or of each leaf', async () => {
    expect(await values(vmap(dot, { in: 1 })(xs, xs))).toEqual([35, 56])
    expect(await values(vmap(dot, { in: [1, 0] })(xs, xs.transpose()))).toEqual([35, 56])
    expect(await values(vmap(dot, { in: [-1, -2] })(xs, xs.transpose()))).toEqual([35, 56])
    const affine = (p: { readonly w: Tensor; readonly b: Tensor }, x: Tensor): Tensor => dot(p.w, x).add(p.b)
    const params = { w: xs.transpose(), b: scalar(100) }
    expect(await values(vmap(affine, { in: [{ w: 1, b: null }, null] })(params, tensor([1, 1])))).toEqual([
      103, 107, 111,
    ])
    expect(await values(vmap(affine, { in: [{ w: 1, b: null }, 0] })(params, xs))).toEqual([105, 125, 161])
  })

  it('puts the batch axis of results where it is told to', async () => {
    const f = (x: Tensor) => ({ a: x.mul(2), b: [x.sum()] })
    const { a, b } = vmap(f, { out: { a: -1, b: 0 } })(xs)
    expect(a.shape).toEqual([2, 3])
    expect(await values(a)).toEqual([2, 6, 10, 4, 8, 12])
    expect(await Promise.all(b.map((x) => values(x)))).toEqual([[3, 7, 11]])
    expect(vmap(f, { out: { a: 1, b: [0] } })(xs).a.shape).toEqual([2, 3])
  })

  it('repeats what depends on nothing mapped, unless its axis is null', async () => {
    const w = tensor([7, 8])
    expect(await values(vmap((_x: Tensor) => w)(xs))).toEqual([7, 8, 7, 8, 7, 8])
    expect(vmap((_x: Tensor) => ({ w }), { out: { w: null } })(xs).w.node).toBe(w.node)
    expect(await values(vmap((x: Tensor) => x)(xs))).toEqual(await values(xs))
  })

  it('leaves what is no tensor as it is', async () => {
    const f = (x: Tensor, power: number, mode: { readonly name: string }) => ({ y: x.pow(power), mode, note: 'raised' })
    const { y, mode, note } = vmap(f)(xs, 2, { name: 'plain' })
    expect(await values(y)).toEqual([1, 4, 9, 16, 25, 36])
    expect([mode, note]).toEqual([{ name: 'plain' }, 'raised'])
  })

  it('of no slices gives none, of the right shape', async () => {
    const f = (x: Tensor, w: Tensor): Tensor => conv2d(x.reshape([1, 3, 3, 1]), w).sum([0, 1, 2])
    const y = vmap(f)(zeros([0, 9]), zeros([0, 2, 2, 1, 5]))
    expect([y.shape, await values(y)]).toEqual([[0, 5], []])
    expect(grad((x: Tensor) => vmap(f, { in: [0, null] })(x, zeros([2, 2, 1, 5])).sum())(zeros([0, 9])).shape).toEqual([
      0, 9,
    ])
  })

  it('makes placeholders of its own: what is mapped inside does not meet what is mapped outside', async () => {
    const outer = vmap((x: Tensor) => vmap((y: Tensor) => x.mul(10).add(y))(tensor([1, 2, 3])))(tensor([4, 5]))
    expect(await values(outer)).toEqual([41, 42, 43, 51, 52, 53])
    const table = vmap((x: Tensor) => vmap((y: Tensor) => x.sub(y))(xs))(xs)
    expect(table.shape).toEqual([3, 3, 2])
    expect((await values(table)).slice(0, 6)).toEqual([0, 0, -2, -2, -4, -4])
  })
})

describe('vmap: mistakes', () => {
  it('lengths that differ', () => {
    expect(() => vmap((p: { readonly w: Tensor }, x: Tensor) => p.w.mul(x))({ w: xs }, tensor([1, 2]))).toThrow(
      'vmap: argument 0, w [3,2] has 3 slices along axis 0, and argument 1 [2] has 2 along axis 0; give arguments of one length, or null for what all slices share',
    )
  })

  it('scalars, and axes that do not exist', () => {
    expect(() => vmap(dot)(xs, scalar(1))).toThrow(
      'vmap: argument 1 is a scalar, which has no axis to map over; give null for it',
    )
    expect(() => vmap(dot, { in: 2 })(xs, xs)).toThrow('vmap: axis 2 does not exist in argument 0, [3,2]')
    expect(() => vmap(dot, { in: [0, -3] })(xs, xs)).toThrow('vmap: axis -3 does not exist in argument 1, [3,2]')
    expect(() => vmap(dot, { out: 1 })(xs, xs)).toThrow('vmap: axis 1 does not exist in the result, [3]')
  })

  it('nothing mapped', () => {
    expect(() => vmap(dot, { in: [null, null] })(xs, xs)).toThrow(
      "vmap: nothing is mapped: 'in' is null for every argument",
    )
    expect(() => vmap(() => xs)()).toThrow('vmap: there is no tensor among the arguments to map over')
  })

  it('trees of axes that are not like the trees', () => {
    const f = (p: { readonly w: Tensor; readonly b?: Tensor }, x: Tensor): Tensor => p.w.mul(x)
    // @ts-expect-error: two arguments, and one axis
    expect(() => vmap(f, { in: [0] })({ w: xs }, xs)).toThrow(
      "vmap: 'in' has 1 entries for the 2 of the arguments; give one for each, null for what is not mapped",
    )
    // @ts-expect-error: the first argument has no bias
    expect(() => vmap(f, { in: [{ w: 0, bias: 0 }, 0] })({ w: xs }, xs)).toThrow(
      "vmap: 'in' names '0.bias', and argument 0 has only w",
    )
    expect(() => vmap(f, { in: [{ w: 0 }, 0] })({ w: xs, b: xs }, xs)).toThrow(
      "vmap: 'in' has undefined for argument 0, b, which is a tensor; give the number of an axis, or null for what is not mapped",
    )
    // @ts-expect-error: the first argument is no list
    expect(() => vmap(f, { in: [[0, 0], 0] })({ w: xs }, xs)).toThrow(
      "vmap: 'in' has an array for argument 0, which is a record",
    )
  })

  it('functions that return no tensors, or a promise', () => {
    expect(() => vmap((x: Tensor) => Promise.resolve(x))(xs)).toThrow('vmap: the function returned a Promise')
    expect(() => vmap((x: Tensor) => void x)(xs)).toThrow(
      'vmap: the function must return tensors, it returned undefined; is a return missing?',
    )
    expect(() => vmap((x: Tensor) => x.rank)(xs)).toThrow('vmap: the function must return tensors, it returned 1')
  })

  it('null for a result that differs from slice to slice', () => {
    expect(() => vmap((x: Tensor) => ({ y: x, z: [x.sum()] }), { out: { y: 0, z: null } })(xs)).toThrow(
      "vmap: 'out' is null for leaf 'z.0' of the result, which differs from slice to slice",
    )
  })

  it('errors inside name shapes of a slice', () => {
    expect(() => vmap((x: Tensor) => x.add(tensor([1, 2, 3])))(xs)).toThrow('add: [2] and [3] do not broadcast')
  })
})

describe('vmap: indices', () => {
  const table = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ])
  const outside = i32([-5, 9, 1, 99, 0, -1], [2, 3])

  it('outside are moved to the nearest row of their own slice', async () => {
    expect(await values(vmap((t: Tensor, i: Tensor) => gather(t, i))(table, outside))).toEqual([1, 3, 2, 6, 4, 4])
    const added = vmap((i: Tensor, u: Tensor) => scatterAdd(i, u, 2))(outside, table)
    expect(await values(added)).toEqual([1, 5, 11, 4])
    const unsigned = tensor(Uint32Array.from([2 ** 32 - 1, 0]), { shape: [2, 1] })
    expect(await values(vmap((t: Tensor, i: Tensor) => gather(t, i))(table, unsigned))).toEqual([3, 4])
  })

  it('are refused where there are more rows than they can count', () => {
    const wide = zeros([1]).broadcastTo([70_000, 70_000])
    expect(() => vmap((t: Tensor, i: Tensor) => gather(t, i))(wide, zeros([70_000], 'i32'))).toThrow(
      'vmap: 70000 slices of 70000 rows each are more than an index can count, 2^31; map over a part of them at a time',
    )
  })
})

describe('vmap: random numbers', () => {
  const keys = split(key(3), 4)
  const device = cpuDevice()

  it.each<readonly [string, (k: Tensor) => Tensor]>([
    ['normal', (k) => normal(k, [3])],
    ['uniform', (k) => uniform(k, [2, 2], { low: -1 })],
    ['randint', (k) => randint(k, [5], 0, 100)],
    ['bernoulli', (k) => bernoulli(k, 0.3, [7])],
    ['split', (k) => stack(split(k, 3))],
    ['foldIn', (k) => foldIn(k, 7)],
    ['categorical', (k) => categorical(k, constant([[0.1, 2, 0.3]]))],
  ])('%s: a batch of keys gives what each of them gives, bit for bit', async (_, draw) => {
    expect(await values(vmap(draw)(stack(keys)))).toEqual(await values(stack(keys.map(draw))))
    const compiled = device.compile((k: Tensor) => vmap(draw)(k))
    expect(await values(await compiled(stack(keys)), device)).toEqual(await values(stack(keys.map(draw))))
  })

  it('fold a number that differs from slice to slice', async () => {
    const steps = i32([5, 6, 7])
    const all = vmap((n: Tensor) => normal(foldIn(key(1), n), [2]))(steps)
    expect(await values(all)).toEqual(await values(stack([5, 6, 7].map((n) => normal(foldIn(key(1), n), [2])))))
  })
})
