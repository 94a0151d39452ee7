/** A device in search of the first value that is not finite. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { grad, valueAndGrad } from '../../../src/autograd/grad.ts'
import { linear } from '../../../src/nn/linear.ts'
import { compose, lift, sequential } from '../../../src/nn/module.ts'
import { constant, full, scalar, tensor, zeros } from '../../../src/tensor/create.ts'
import { open, type Device } from '../../../src/tensor/device.ts'
import { attention } from '../../../src/tensor/attention.ts'
import { softmax } from '../../../src/tensor/softmax.ts'
import { key } from '../../../src/tensor/random.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { originOf } from '../../../src/graph/origin.ts'

const opened = async (name: string, check: 'finite' | 'nan'): Promise<Device> => {
  const device = await open(name, { check })()
  if (device._tag === 'Left') throw new Error(device.left.message)
  return device.right
}

let finite: Device
let nan: Device
beforeAll(async () => {
  finite = await opened('wasm', 'finite')
  nan = await opened('cpu', 'nan')
})
afterAll(async () => {
  await finite.close()
  await nan.close()
  expect(originOf(scalar(1).add(1).node)).toBeUndefined() // nobody records any more
})

const here = 'made at test/backends/cpu/checked.test.ts:'
const messageOf = async (run: Promise<unknown>): Promise<string> => {
  try {
    await run
  } catch (e) {
    return e instanceof Error ? `${e.name}: ${e.message.replace(/:\d+:\d+$/, ':')}` : String(e)
  }
  return 'no error'
}

describe('a checked device', () => {
  it('is called by the name that was asked for', () => {
    expect(finite.name).toBe('wasm, checked')
    expect(nan.description).toMatch(/^cpu, checked for values that are NaN/)
  })

  it('names the first node that makes what is not finite, how many elements, from what, and the line', async () => {
    expect(
      await messageOf(
        finite.read(
          tensor([
            [1, 4],
            [9, 0],
          ])
            .log()
            .mul(2)
            .exp()
            .sum()
            .log()
            .neg(),
        ),
      ),
    ).toBe('no error')
    expect(
      await messageOf(
        finite.read(
          tensor([
            [1, 4],
            [9, 0],
          ])
            .log()
            .mul(2)
            .sum(),
        ),
      ),
    ).toBe(
      `NonFiniteError: log makes -Infinity in f32[2,2], 1 of 4 elements, first at [1,1], from f32[2,2] in 0 … 9; ${here}`,
    )
    expect(await messageOf(finite.realize({ a: tensor([1e30]).square(), b: zeros([1]) }))).toMatch(
      /^NonFiniteError: mul makes Infinity in f32\[1\], from f32\[1\] of 1e\+30 and f32\[1\] of 1e\+30; made at/,
    )
  })

  it('goes back to the first of several, not to what they make of it', async () => {
    // exp overflows; the difference of the infinities is NaN
    const y = scalar(100).exp()
    expect(await messageOf(finite.read(y.sub(y.mul(2))))).toMatch(/^NonFiniteError: exp makes Infinity/)
    expect(await messageOf(nan.read(y.sub(y.mul(2))))).toMatch(/^NonFiniteError: add makes NaN/)
  })

  it('of two that do not come from one another names the first that was made', async () => {
    const [log, square] = [scalar(0).log(), scalar(1e30).square()]
    expect(await messageOf(finite.read(square.add(log)))).toMatch(/^NonFiniteError: log makes -Infinity/)
    expect(await messageOf(finite.realize({ a: square, b: log }))).toMatch(/^NonFiniteError: log makes -Infinity/)
  })

  it('leaves out what a select does not take, though it was made first', async () => {
    const [log, square] = [scalar(0).log(), scalar(1e30).square()]
    const [yes, no] = [tensor(true), tensor(false)]
    expect(await messageOf(finite.read(no.select(log, square)))).toMatch(/^NonFiniteError: mul makes Infinity/)
    expect(await messageOf(finite.read(yes.select(square, log)))).toMatch(/^NonFiniteError: mul makes Infinity/)
    expect(await messageOf(finite.read(yes.select(log, square)))).toMatch(/^NonFiniteError: log makes -Infinity/)
  })

  it('says that it is in a gradient, and of what: the square root at 0, and the branch of a select that is not taken', async () => {
    const norm = (x: Tensor): Tensor => x.square().sum().sqrt()
    expect(await messageOf(finite.read(grad(norm)(tensor([0, 0]))))).toMatch(
      /^NonFiniteError: div makes Infinity in f32\[\], .*; in the gradient of sqrt, made at/,
    )
    const logOrZero = (x: Tensor): Tensor => x.greater(0).select(x.log(), 0).sum()
    expect(await messageOf(finite.read(logOrZero(tensor([0, 1]))))).toBe('no error')
    expect(await messageOf(finite.read(grad(logOrZero)(tensor([0, 1]))))).toMatch(
      /^NonFiniteError: div makes NaN in f32\[2\], 1 of 2 elements, first at \[0\], .*; in the gradient of log, made at/,
    )
  })

  it('names the layer, forward and backward, in a compiled step', async () => {
    const overflow = lift((x: Tensor) => x.mul(1e30).square())
    const net = sequential({ a: linear(2, 3), b: sequential({ c: overflow, d: linear(3, 1) }) })
    type Params = ReturnType<typeof net.init>
    const forward = finite.compile((p: Params, x: Tensor) => net.apply(p, x).mean())
    expect(await messageOf(forward(net.init(key(0)), zeros([4, 2])))).toMatch(
      /^NonFiniteError: mul makes Infinity in f32\[4,3\], 12 of 12 .*; in layer b\.c, made at/,
    )
    const root = compose({ out: lift((x: Tensor) => x.square().sum().sqrt()) }, ({ out }, x: Tensor) => out(x))
    const backward = finite.compile((x: Tensor) => valueAndGrad((x: Tensor) => root.apply({ out: {} }, x))(x))
    expect(await messageOf(backward(zeros([2])))).toMatch(/in the gradient of sqrt, in layer out, made at/)
  })

  it('names what was given: NaN in an argument, or in a literal', async () => {
    expect(await messageOf(finite.read(tensor([0, NaN]).mul(3)))).toBe(
      `NonFiniteError: a value that was given, f32[2], holds NaN, 1 of 2 elements, first at [1]; ${here}`,
    )
    expect(await messageOf(finite.compile((x: Tensor) => x.add(1))(scalar(NaN)))).toMatch(
      /^NonFiniteError: a value that was given, f32\[\], holds NaN; made at/,
    )
    expect(await messageOf(finite.read(tensor([0, 2]).mul(NaN)))).toBe(
      `NonFiniteError: a value that was given, f32[], holds NaN; ${here}`,
    )
    const literal = finite.compile((x: Tensor) => x.mul(tensor([NaN, 1])))
    expect(await messageOf(literal(tensor([0, 2])))).toBe(
      `NonFiniteError: a literal of the program, f32[2], holds NaN, 1 of 2 elements, first at [0]; ${here}`,
    )
  })

  it('takes infinities that are given as meant, until they make NaN', async () => {
    const mask = constant([0, -Infinity])
    expect(await messageOf(finite.read(tensor([1, 2]).add(mask)))).toBe('no error')
    expect(await messageOf(finite.read(softmax(tensor([1, 2]).add(mask))))).toBe('no error')
    expect(await messageOf(finite.read(full([2], -Infinity)))).toBe('no error')
    expect(await messageOf(finite.read(softmax(tensor([1, 2]).add(full([2], -Infinity)))))).toMatch(
      /^NonFiniteError: add makes NaN in f32\[2\], 2 of 2 elements/,
    )
  })

  it('computes what is finite as ever', async () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ])
    expect(Array.from(await finite.read(attention(x, x, x)))).toEqual(Array.from(await nan.read(attention(x, x, x))))
    expect(Array.from(await nan.read(tensor([1, 0]).log()))).toEqual([0, -Infinity])
  })
})
