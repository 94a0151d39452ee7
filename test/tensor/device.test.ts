/** Devices: tracing, donation, ownership, memory, and reading. */
import { describe, expect, it } from 'vitest'
import { grad } from '../../src/autograd/index.ts'
import { cpuBackend } from '../../src/backends/cpu/backend.ts'
import { constant, scalar, tensor } from '../../src/tensor/create.ts'
import { deviceOn, open, openDevice, type Device } from '../../src/tensor/device.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { mapTree, zipTrees } from '../../src/tensor/tree.ts'
import { cpuForms } from '../support/device.ts'

describe.each(cpuForms)('a device on cpu, %s', (_, open) => {
  const device = open()
  const read = async (x: Tensor): Promise<readonly number[]> => [...(await device.read(x))]

  it('traces a compiled function once for each signature of its arguments', async () => {
    let traces = 0
    const power = (x: Tensor, options: { readonly power: number }): Tensor => {
      traces++
      return x.pow(options.power)
    }
    const f = device.compile(power, { static: [1] })
    expect(await read(await f(tensor([1, 2, 3]), { power: 2 }))).toEqual([1, 4, 9])
    expect(await read(await f(tensor([4, 5, 6]), { power: 2 }))).toEqual([16, 25, 36])
    expect(traces).toBe(1)
    expect(await read(await f(tensor([1, 2, 3]), { power: 3 }))).toEqual([1, 8, 27])
    expect(await read(await f(tensor([2]), { power: 3 }))).toEqual([8])
    expect(await read(await f(tensor([2], { dtype: 'i32' }), { power: 3 }))).toEqual([8])
    expect(traces).toBe(4)
  })

  it('does not confuse a static NaN with null, or one function with another', async () => {
    for (const fixed of [[], [1]]) {
      const g = device.compile((x: Tensor, fill: number | null) => (fill === null ? x : x.mul(fill)), { static: fixed })
      expect(await read(await g(tensor([1]), null))).toEqual([1])
      expect(await read(await g(tensor([1]), NaN))).toEqual([NaN])
      expect(await read(await g(tensor([1]), null))).toEqual([1])
    }
    const g = device.compile((x: Tensor, h: (y: Tensor) => Tensor) => h(x))
    expect(await read(await g(tensor([4]), (y) => y.sqrt()))).toEqual([2])
    expect(await read(await g(tensor([4]), (y) => y.square()))).toEqual([16])
  })

  it('keeps static values in results, and structures of any depth', async () => {
    const f = device.compile((x: Tensor) => ({ name: 'double', list: [x.mul(2), 7], none: null }))
    const result = await f(scalar(3))
    expect([result.name, result.list[1], result.none]).toEqual(['double', 7, null])
    expect(await read(result.list[0] as Tensor)).toEqual([6])
  })

  it('refuses a captured tensor of data, and takes a captured constant', async () => {
    const table = tensor([[1, 2]])
    const f = device.compile((x: Tensor) => x.add(table))
    await expect(f(tensor([1, 1]))).rejects.toThrow(
      /^compile: the function uses a tensor of data, f32\[1,2\], made at test\/tensor\/device\.test\.ts:\d+:\d+, that is not one of its arguments; it would be frozen into the plan\. Pass it as an argument, or make it with constant\(\) if it is part of the program$/,
    )
    const realized = await device.realize(table)
    const h = device.compile((x: Tensor) => x.add(realized))
    await expect(h(tensor([1, 1]))).rejects.toThrow(
      /uses a tensor of data, f32\[1,2\] of .+, made at test\/tensor\/device\.test\.ts:\d+:\d+, that is not one/,
    )
    const g = device.compile((x: Tensor) => x.add(constant([1, 2])))
    expect(await read(await g(tensor([1, 1])))).toEqual([2, 3])
  })

  it('runs again after an error, with the right values', async () => {
    const f = device.compile((x: Tensor) => x.matmul(constant([[1], [1]])))
    await expect(f(tensor([[1, 2, 3]]))).rejects.toThrow('matmul: [1,3] · [2,1]: 3 columns meet 2 rows')
    expect(await read(await f(tensor([[1, 2]])))).toEqual([3])
  })

  it('throws when a donated tensor is used again, with its path', async () => {
    const step = device.compile(
      (state: { readonly layers: readonly Tensor[] }, x: Tensor) => ({ layers: state.layers.map((w) => w.add(x)) }),
      { donate: [0] },
    )
    const state = await device.realize({ layers: [tensor([1, 2]), tensor([3])].map((w) => w.mul(1)) })
    const next = await step(state, scalar(1))
    expect(await read(next.layers[1] ?? scalar(0))).toEqual([4])
    await expect(step(state, scalar(1))).rejects.toThrow(
      "the tensor '0.layers.0' was donated as 'argument 0, layers.0' to a compiled function; use the value that the function returned",
    )
    await expect(device.read(state.layers[1] ?? scalar(0))).rejects.toThrow("was donated as 'argument 0, layers.1'")
    await expect(device.read((state.layers[1] ?? scalar(0)).add(1))).rejects.toThrow('was donated')
  })

  it('donates a tensor once that stands twice in an argument, and none that another argument keeps', async () => {
    const f = device.compile((p: readonly Tensor[], q: Tensor) => (p[0] ?? q).add(p[1] ?? q).add(q), { donate: [0] })
    const x = await device.realize(tensor([1]).mul(2))
    const kept = await device.realize(tensor([5]).mul(2))
    expect(await read(await f([x, x], kept))).toEqual([14])
    await expect(device.read(x)).rejects.toThrow('donated')
    expect(await read(await f([kept, kept], kept))).toEqual([30])
    expect(await read(kept)).toEqual([10])
  })

  it('keeps what was read, and what was returned, when later runs take over the memory', async () => {
    const step = device.compile((x: Tensor) => x.add(1), { donate: [0] })
    let x = await device.realize(tensor([1, 2, 3]).mul(1))
    const early = device.read(x)
    for (let i = 0; i < 5; i++) x = await step(x)
    expect([...(await early)]).toEqual([1, 2, 3])
    expect(await read(x)).toEqual([6, 7, 8])
    const host = tensor([1, 2])
    await step(host)
    expect(await read(host)).toEqual([1, 2])
  })

  it('returns values that are no aliases: of arguments, of each other, of views', async () => {
    const f = device.compile((x: Tensor) => [x, x, x.transpose(), x.reshape([4])])
    const x = await device.realize(
      tensor([
        [1, 2],
        [3, 4],
      ]).mul(1),
    )
    const consume = device.compile((y: Tensor) => y.mul(0), { donate: [0] })
    const [a, b, c, d] = await f(x)
    for (const y of [a, c]) if (y !== undefined) await consume(y)
    expect(await read(x)).toEqual([1, 2, 3, 4])
    expect(await read(b ?? x)).toEqual([1, 2, 3, 4])
    expect(await read(d ?? x)).toEqual([1, 2, 3, 4])
  })

  it('refuses tensors of another device', async () => {
    const other = await open().realize(tensor([1]).add(1))
    const message = 'lives on another device; read it there and make a tensor of its values'
    await expect(device.read(other)).rejects.toThrow(message)
    await expect(device.read(other.add(1))).rejects.toThrow(message)
    await expect(device.compile((x: Tensor) => x)(other)).rejects.toThrow(message)
  })

  it.each(['f16', 'f32', 'f64', 'i32', 'u32', 'u8', 'bool'] as const)(
    'gives back %s as it was given',
    async (dtype) => {
      const given = {
        f16: [1.5, -65504, 2 ** -24, Infinity],
        f32: [0.1, -1e30],
        f64: [0.1, 1e300],
        i32: [-(2 ** 31), 7],
        u32: [2 ** 32 - 1, 0],
        u8: [255, 0],
        bool: [1, 0],
      }[dtype]
      const expected = dtype === 'f32' ? given.map(Math.fround) : given
      const x = tensor(given, { dtype })
      expect(await read(x)).toEqual(expected)
      expect(await read(await device.compile((y: Tensor) => y)(x))).toEqual(expected)
      expect((await device.realize(x)).dtype).toBe(dtype)
    },
  )

  it('computes a graph late, and again, with one value', async () => {
    const y = tensor([1, 2]).mul(3).sum()
    expect([await read(y), await read(y.add(1)), await read(y)]).toEqual([[9], [10], [9]])
    const z = await device.realize({ y, list: [y.neg()] })
    expect(z.y.node.op).toBe('buffer')
    expect(await read(z.list[0] ?? y)).toEqual([-9])
  })

  it('tells literals apart that differ only in the sign of a zero', async () => {
    const [a, b] = [constant([0, 1], { dtype: 'f64' }), constant([-0, 1], { dtype: 'f64' })]
    const one = constant([1, 1], { dtype: 'f64' })
    expect((await read(one.div(a))).concat(await read(one.div(b)))).toEqual([Infinity, 1, -Infinity, 1])
    expect((await device.realize([one.div(a), one.div(b)])).length).toBe(2)
    expect((await Promise.all((await device.realize([one.div(a), one.div(b)])).map(read))).flat()).toEqual([
      Infinity,
      1,
      -Infinity,
      1,
    ])
  })
})

/** A training step of a small network, with momentum. */
const trainingStep = (device: Device) => {
  type Params = { readonly w1: Tensor; readonly w2: Tensor }
  const loss = (p: Params, x: Tensor, y: Tensor): Tensor => x.matmul(p.w1).tanh().matmul(p.w2).sub(y).square().mean()
  return device.compile(
    ({ params, momentum }: { readonly params: Params; readonly momentum: Params }, x: Tensor, y: Tensor) => {
      const g = grad(loss)(params, x, y)
      const next = zipTrees(momentum, g, (m, d) => m.mul(0.9).add(d))
      return {
        state: { params: zipTrees(params, next, (p, m) => p.sub(m.mul(0.05))), momentum: next },
        loss: loss(params, x, y),
      }
    },
    { donate: [0] },
  )
}

/** A device that counts the bytes which it holds. */
const countingDevice = (): { readonly device: Device; readonly held: () => number } => {
  let held = 0
  const backend = cpuBackend(true)
  const device = deviceOn({
    ...backend,
    allocate: (bytes) => {
      held += bytes
      return backend.allocate(bytes)
    },
    release: (memory) => {
      held -= memory.bytes
      backend.release(memory)
    },
  })
  return { device, held: () => held }
}

describe('memory', () => {
  it('does not keep values of the host that were brought only to compute others', async () => {
    const { device, held } = countingDevice()
    const host = tensor(new Float32Array(1000).fill(3))
    const [doubled] = await device.realize([host.mul(2)])
    expect(held()).toBe(4000)
    expect((await device.read(doubled.add(host)))[999]).toBe(9) // it is brought again
    const [kept] = await device.realize([host])
    await device.realize(host.mul(3))
    expect((await device.read(kept.mul(2)))[0]).toBe(6) // what a tensor refers to stays
  })

  it('1,000 training steps allocate what the first few do, and learn', async () => {
    let [allocated, released] = [0, 0]
    const backend = cpuBackend(true)
    const fresh = new Set<unknown>()
    const device = deviceOn({
      ...backend,
      allocate: (bytes) => {
        const memory = backend.allocate(bytes)
        fresh.add(memory)
        allocated += bytes
        return memory
      },
      release: (memory) => {
        released += memory.bytes
        backend.release(memory)
      },
    })
    const step = trainingStep(device)
    const values = (n: number, phase: number): Float32Array =>
      Float32Array.from({ length: n }, (_, i) => Math.sin(i * 12.9898 + phase) * 0.5)
    const params = { w1: tensor(values(16, 0), { shape: [2, 8] }), w2: tensor(values(8, 1), { shape: [8, 1] }) }
    let state = { params, momentum: mapTree(params, (x) => x.mul(0)) }
    const [x, y] = await device.realize([
      tensor([
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ]),
      tensor([[0], [1], [1], [0]]),
    ] as const)
    const losses: number[] = []
    let after50 = 0
    for (let i = 0; i < 1000; i++) {
      const result = await step(state, x, y)
      state = result.state
      if (i === 50) after50 = fresh.size
      if (i % 100 === 99) losses.push((await device.read(result.loss))[0] ?? NaN)
    }
    // At most the losses are new: the state's memory goes round.
    expect(fresh.size - after50).toBeLessThanOrEqual(949)
    expect(allocated - released).toBeLessThan(1000 * 4 + 10_000)
    expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) * 0.2)
  })
})

describe('opening', () => {
  it('names the devices that there are when it is asked for another', async () => {
    expect(await open('abacus')()).toEqual({
      _tag: 'Left',
      left: { _tag: 'DeviceError', message: "there is no device 'abacus'; choose one of: cpu, wasm, webgpu" },
    })
    expect(await open('constructor')()).toMatchObject({ _tag: 'Left' })
    const opened = await open('cpu')()
    expect(opened._tag).toBe('Right')
    if (opened._tag === 'Right') await opened.right.close()
  })

  it('opens the fastest device that works where none is named', async () => {
    const device = await openDevice()
    expect(device.name).toBe('wasm')
    await device.close()
    const opened = await open()()
    expect(opened).toMatchObject({ _tag: 'Right', right: { name: 'wasm' } })
    if (opened._tag === 'Right') await opened.right.close()
  })

  it('opens a slower device where the fastest does not work, and says why', async () => {
    const device = await openDevice(undefined, { wasm: { winograd: 3 as 2 } })
    expect(device.description).toMatch(/^cpu, in TypeScript · device 'wasm' could not be opened: /)
    expect(await device.read(tensor([1]).add(1))).toEqual(Float32Array.of(2))
    await expect(openDevice('abacus')).rejects.toThrow("there is no device 'abacus'; choose one of: cpu, wasm, webgpu")
  })
})
