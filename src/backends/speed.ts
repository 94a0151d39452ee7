/** How fast a backend is in what all programs are made of, by plans like any other: a product of matrices, a pass over memory, a launch. */
import { compile } from '../compiler/compile.ts'
import { makeNode } from '../graph/node.ts'
import type { Node, NodeOf } from '../graph/ops.ts'
import { sizeOf, type Shape } from '../graph/shape.ts'
import type { Backend, Memory } from './backend.ts'

/** What was reached. */
export interface Speed {
  /** In a product of square matrices of f32. */
  readonly flopsPerSecond: number
  /** Read and written together, in a pass over memory. */
  readonly bytesPerSecond: number
  /** Of the smallest program that there is, run again and again without waiting for it. */
  readonly launchSeconds: number
}

const dtype = 'f32'

/** A program of two arguments of one shape, run on a backend. */
interface Running {
  /** Seconds of one run, when so many are asked for in a row. */
  readonly seconds: (runs: number) => Promise<number>
  readonly release: () => void
}

const runningOn = async (backend: Backend, shape: Shape, of: (x: Node, y: Node) => Node): Promise<Running> => {
  const argument = (index: number): NodeOf<'parameter'> => makeNode('parameter', { index, shape, dtype }, [])
  const parameters = [argument(0), argument(1)] as const
  const { limits, dtypes } = backend
  const executable = backend.prepare(compile({ parameters, outputs: [of(...parameters)] }, { limits, dtypes }))
  await executable.ready
  const values = Float32Array.from({ length: sizeOf(shape) }, (_, i) => (i % 7) - 3)
  const room = (): Memory => backend.allocate(values.byteLength)
  const [a, b, result] = [room(), room(), room()]
  const word = backend.allocate(4) // what is read behind everything else, to know that it is done
  for (const memory of [a, b]) backend.write(memory, values)
  return {
    seconds: async (runs) => {
      await backend.read(word)
      const start = performance.now()
      for (let i = 0; i < runs; i++) executable.run([a, b], [result])
      await backend.read(word)
      return (performance.now() - start) / 1000 / runs
    },
    release: () => {
      executable.release()
      for (const memory of [a, b, result, word]) backend.release(memory)
    },
  }
}

/** Seconds that a measurement takes at least: what begins and ends it is then small beside it. */
const enough = 0.03

/** The best of three, of as many runs as are enough. */
const bestOf = async ({ seconds }: Running): Promise<number> => {
  await seconds(1) // code is compiled, memory is touched for the first time
  let runs = 1
  let best = await seconds(runs)
  while (best * runs < enough && runs < 4096) {
    runs *= 4
    best = await seconds(runs)
  }
  for (let i = 0; i < 2; i++) best = Math.min(best, await seconds(runs))
  return best
}

/** The first of growing sizes at which a run takes long enough to say something, or the last, with its seconds. */
const measured = async (
  backend: Backend,
  sizes: readonly number[],
  least: number,
  shapeOf: (size: number) => Shape,
  of: (x: Node, y: Node) => Node,
): Promise<readonly [size: number, seconds: number]> => {
  for (const [i, size] of sizes.entries()) {
    const running = await runningOn(backend, shapeOf(size), of)
    try {
      await running.seconds(1)
      if (i + 1 === sizes.length || (await running.seconds(1)) >= least) return [size, await bestOf(running)]
    } finally {
      running.release()
    }
  }
  throw new RangeError('there is no size to measure')
}

const add = (x: Node, y: Node): Node => makeNode('add', {}, [x, y])

const product = (x: Node, y: Node): Node =>
  makeNode('dotGeneral', { contract: [[1], [0]], batch: [[], []], dtype }, [x, y])

/** Measures a backend, in about a second. */
export const speedOf = async (backend: Backend): Promise<Speed> => {
  const [n, productSeconds] = await measured(backend, [128, 256, 512, 1024, 2048, 4096], 0.004, (k) => [k, k], product)
  const [count, passSeconds] = await measured(backend, [2 ** 22, 2 ** 24, 2 ** 26], 0.002, (k) => [k], add)
  const [, launchSeconds] = await measured(backend, [1], 0, (k) => [k], add)
  return { flopsPerSecond: (2 * n ** 3) / productSeconds, bytesPerSecond: (12 * count) / passSeconds, launchSeconds }
}
