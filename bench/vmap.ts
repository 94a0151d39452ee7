/**
 * `npm run bench:vmap`: what vmap costs beside what it replaces. An ensemble of 8 networks beside 8 networks in a row; gradients of examples beside the
 * gradient of the batch, of networks of two sizes; Jacobians beside a pass for each row. On one thread of wasm, in seconds of
 * the processor: what else the machine does counts little.
 */
import process from 'node:process'
import { grad, jacrev, vjp, vmap } from '../src/autograd/index.ts'
import { wasmBackend } from '../src/backends/wasm/whole.ts'
import { flags } from '../src/backends/wasm/threads/v8Flags.node.ts'
import { mlp, type MlpParams } from '../src/models/mlp.ts'
import { relu } from '../src/nn/activations.ts'
import { crossEntropy } from '../src/nn/crossEntropy.ts'
import { at, range } from '../src/prelude/array.ts'
import { stack } from '../src/tensor/combine.ts'
import { eye } from '../src/tensor/create.ts'
import { deviceOn } from '../src/tensor/device.ts'
import { key, normal, randint, split } from '../src/tensor/random.ts'
import type { Tensor } from '../src/tensor/tensor.ts'
import { leaves } from '../src/tensor/tree.ts'
import { alternate, type Timed } from './timing.ts'

flags.set()

const device = deviceOn(wasmBackend())

/** A compiled function at these arguments; the last of its results is read, and all memory is given back. */
const timed = <A extends readonly unknown[]>(name: string, f: (...args: A) => unknown, ...args: A): Timed => {
  const run = device.compile((...given: readonly unknown[]) => leaves(f(...(given as unknown as A))))
  return {
    name,
    run: async () => {
      const before = process.cpuUsage()
      const results = await run(...args)
      await device.read(at(results, results.length - 1))
      const { user, system } = process.cpuUsage(before)
      for (const x of results) device.release(x)
      return (user + system) / 1e6
    },
  }
}

/** An MLP that tells ten classes apart, and a batch of 64. */
const classifier = async (widths: readonly number[]) => {
  const model = mlp(widths, { activation: relu })
  const [forX, forY, forInit] = split(key(1), 3)
  const data = {
    x: await device.realize(normal(forX, [64, at(widths, 0)])),
    y: await device.realize(randint(forY, [64], 0, 10)),
    all: await device.realize(split(forInit, 8).map((k) => model.init(k))),
    stacked: await device.realize(vmap((k: Tensor) => model.init(k))(stack(split(forInit, 8)))),
  }
  const loss = (p: MlpParams, x: Tensor, y: Tensor): Tensor => crossEntropy(model.apply(p, x), y)
  const ofOne = (p: MlpParams, x: Tensor, y: Tensor): Tensor => loss(p, x.expandDims(0), y.expandDims(0))
  return { ...data, one: at(data.all, 0), loss, ofOne }
}

const networks = async (widths: readonly number[]): Promise<readonly Timed[]> => {
  const { x, y, all, stacked, one, loss, ofOne } = await classifier(widths)
  const name = widths.join('-')
  const gradients = (p: MlpParams, x: Tensor, y: Tensor): MlpParams => vmap(grad(ofOne), { in: [null, 0, 0] })(p, x, y)
  const sizes = (p: MlpParams, x: Tensor, y: Tensor): Tensor =>
    leaves(gradients(p, x, y))
      .map((g) => g.square().sum(range(g.rank).slice(1)))
      .reduce((a, b) => a.add(b))
  return [
    timed(`${name}: gradient of a batch`, grad(loss), one, x, y),
    timed(`${name}: gradients of its 64 examples`, gradients, one, x, y),
    timed(`${name}: their norms`, sizes, one, x, y),
    timed(
      `${name}: gradients of 8 networks in a row`,
      (ps: readonly MlpParams[], x: Tensor, y: Tensor) => ps.map((p) => grad(loss)(p, x, y)),
      all,
      x,
      y,
    ),
    timed(`${name}: by vmap`, vmap(grad(loss), { in: [0, null, null] }), stacked, x, y),
  ]
}

const jacobians = async (n: number): Promise<readonly Timed[]> => {
  const w = await device.realize(normal(key(2), [n, n]))
  const x = await device.realize(normal(key(3), [n]))
  const f = (x: Tensor, w: Tensor): Tensor => x.reshape([1, n]).matmul(w).tanh().matmul(w).tanh().reshape([n])
  const inRows = (x: Tensor, w: Tensor): Tensor => {
    const { pullback } = vjp((z: Tensor) => f(z, w), x)
    const units = eye(n)
    return stack(range(n).map((i) => pullback(units.slice([i, i + 1]).reshape([n]))[0]))
  }
  return [
    timed(`Jacobian ${n}×${n}: a pass for each row`, inRows, x, w),
    timed(`Jacobian ${n}×${n}: by vmap`, jacrev(f), x, w),
  ]
}

const subjects = [
  ...(await networks([784, 256, 256, 10])),
  ...(await networks([32, 64, 64, 10])),
  ...(await jacobians(128)),
]
const timings = await alternate(subjects, { rounds: 20, warmUp: 3, turn: 0.02, budget: 120 })
subjects.forEach(({ name }, i) => {
  const { median, fastest } = at(timings, i)
  process.stdout.write(
    `${name.padEnd(52)}median ${(median * 1e3).toFixed(2)} ms, fastest ${(fastest * 1e3).toFixed(2)} ms\n`,
  )
})
await device.close()
