/**
 * Kernels of each family on small inputs, against a backend to trust: whether an engine with experimental flags, or a GPU's driver, computes what it
 * should.
 */
import { range } from '../prelude/array.ts'
import { DeviceLost } from '../prelude/errors.ts'
import { compile } from '../compiler/compile.ts'
import { bytesPerElement, type DType } from '../graph/dtype.ts'
import { makeNode } from '../graph/node.ts'
import type { Node, NodeOf } from '../graph/ops.ts'
import { sizeOf, type Shape } from '../graph/shape.ts'
import type { Backend } from './backend.ts'

/** A program of one kernel or a few: what it is called, the shapes of its arguments, and its result. */
interface Sample {
  readonly name: string
  readonly shapes: readonly Shape[]
  readonly of: (x: Node, y: Node) => Node
}

const dtype = 'f32'
const add = (x: Node, y: Node): Node => makeNode('add', {}, [x, y])
const mul = (x: Node, y: Node): Node => makeNode('mul', {}, [x, y])
const over = (x: Node, shape: Shape, axes: readonly number[]): Node => makeNode('broadcast', { shape, axes }, [x])
const turned = (x: Node, permutation: readonly number[]): Node => makeNode('transpose', { permutation }, [x])
const sum = (x: Node, axes: readonly number[]): Node => makeNode('reduceSum', { axes, dtype }, [x])

const conv = (stride: number, inputDilation: number): ((x: Node, filter: Node) => Node) => {
  const both = (n: number): [number, number] => [n, n]
  const attrs = { padLow: both(1), padHigh: both(1), filterDilation: both(1), groups: 1, dtype } as const
  return (x, filter) =>
    makeNode('conv', { ...attrs, stride: both(stride), inputDilation: both(inputDilation) }, [x, filter])
}

const dot = (contract: readonly [number, number]): ((x: Node, y: Node) => Node) => {
  const [x, y] = contract
  return (left, right) => makeNode('dotGeneral', { contract: [[x], [y]], batch: [[], []], dtype }, [left, right])
}

const cast = (x: Node, to: DType): Node => makeNode('cast', { dtype: to }, [x])

/** Numbers in (−2, 2) as rows of 16; products with 4 are exact, and rows that are not there are the nearest. */
const picks = (y: Node): Node => {
  const all = (value: number): Node =>
    over(makeNode('constant', { values: Float32Array.of(value), shape: [], dtype }, []), y.shape, [0])
  return cast(add(mul(y, all(4)), all(8)), 'i32')
}

const samples: readonly Sample[] = [
  {
    name: 'functions of each element',
    shapes: [[1031], [1031]],
    of: (x, y) => add(mul(makeNode('exp', {}, [x]), makeNode('tanh', {}, [y])), makeNode('logistic', {}, [x])),
  },
  {
    name: 'error function, root and quotient of a broadcast',
    shapes: [[19, 37], [37]],
    of: (x, y) =>
      makeNode('div', {}, [
        makeNode('erf', {}, [x]),
        makeNode('sqrt', {}, [makeNode('exp', {}, [over(y, [19, 37], [0])])]),
      ]),
  },
  { name: 'sum of rows', shapes: [[23, 131]], of: (x) => sum(x, [1]) },
  { name: 'sum of columns', shapes: [[131, 40]], of: (x) => sum(mul(x, x), [0]) },
  { name: 'maximum', shapes: [[23, 131]], of: (x) => makeNode('reduceMax', { axes: [1] }, [x]) },
  {
    name: 'product of matrices',
    shapes: [
      [37, 65],
      [65, 53],
    ],
    of: dot([1, 0]),
  },
  {
    name: 'product with the left transposed',
    shapes: [
      [96, 48],
      [96, 32],
    ],
    of: dot([0, 0]),
  },
  {
    name: 'product with the right transposed',
    shapes: [
      [64, 80],
      [33, 80],
    ],
    of: dot([1, 1]),
  },
  {
    name: 'convolution',
    shapes: [
      [2, 9, 8, 16],
      [3, 3, 16, 32],
    ],
    of: conv(1, 1),
  },
  {
    name: 'convolution with stride 2',
    shapes: [
      [2, 9, 8, 5],
      [3, 3, 5, 19],
    ],
    of: conv(2, 1),
  },
  {
    name: 'convolution of a dilated image',
    shapes: [
      [2, 5, 4, 16],
      [3, 3, 16, 16],
    ],
    of: conv(1, 2),
  },
  // Sizes for which Winograd's tiles pay, where the machine has them.
  {
    name: 'large convolution',
    shapes: [
      [4, 16, 16, 32],
      [3, 3, 32, 32],
    ],
    of: conv(1, 1),
  },
  {
    name: 'gradient of a filter',
    shapes: [
      [4, 16, 16, 32],
      [4, 16, 16, 32],
    ],
    of: (x, cotangent) => conv(1, 1)(turned(x, [3, 1, 2, 0]), turned(cotangent, [1, 2, 0, 3])),
  },
  { name: 'transposition', shapes: [[12, 35, 9]], of: (x) => turned(x, [2, 0, 1]) },
  {
    name: 'padding, and a part of it',
    shapes: [[7, 33]],
    of: (x) => {
      const padded = makeNode('pad', { low: [1, 2], high: [0, 3], interior: [1, 0] }, [x])
      return makeNode('slice', { start: [0, 1], limit: [13, 38], stride: [2, 1] }, [padded])
    },
  },
  {
    name: 'joining',
    shapes: [
      [5, 31],
      [5, 18],
    ],
    of: (x, y) => makeNode('concatenate', { axis: 1 }, [x, y]),
  },
  {
    name: 'picking rows',
    shapes: [[16, 37], [51]],
    of: (x, y) => makeNode('gather', { axis: 0 }, [x, picks(y)]),
  },
  {
    name: 'adding to rows',
    shapes: [[51, 37], [51]],
    of: (x, y) => makeNode('scatterAdd', { axis: 0, size: 16 }, [picks(y), x]),
  },
  {
    name: 'sorting',
    shapes: [[9, 61]],
    of: (x) => cast(makeNode('argsort', { axis: 1 }, [x]), dtype),
  },
  {
    name: 'softmax of rows',
    shapes: [[23, 131]],
    of: (x) => {
      const largest = makeNode('reduceMax', { axes: [1] }, [x])
      const exponentials = makeNode('exp', {}, [add(x, makeNode('neg', {}, [over(largest, [23, 131], [1])]))])
      return makeNode('div', {}, [exponentials, over(sum(exponentials, [1]), [23, 131], [1])])
    },
  },
  {
    name: 'whole numbers that wrap',
    shapes: [[1031], [1031]],
    of: (x, y) => {
      const bitsOf = (v: Node): Node => makeNode('bitcast', { dtype: 'u32' }, [v])
      const [a, b] = [bitsOf(x), bitsOf(y)]
      const mixed = makeNode('xor', {}, [mul(a, b), makeNode('shiftRight', {}, [a, makeNode('rem', {}, [b, a])])])
      return cast(mixed, dtype)
    },
  },
  {
    name: 'halves',
    shapes: [[1031], [1031]],
    of: (x, y) => cast(mul(cast(x, 'f16'), cast(add(x, y), 'f16')), dtype),
  },
]

/** Numbers in (−2, 2), the same each time: no random numbers at hand, and none needed. */
const numbers = (count: number, seed: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: count }, (_, i) => 2 * Math.sin(12.9898 * (i + 1) + 78.233 * seed))

/** What a backend computes. */
const evaluate = async (backend: Backend, { shapes, of }: Sample): Promise<Float32Array> => {
  const parameters = shapes.map((shape, index): NodeOf<'parameter'> =>
    makeNode('parameter', { index, shape, dtype }, []),
  )
  const [x, y = x] = parameters
  if (x === undefined || y === undefined) throw new Error('a sample has one argument at least')
  const output = of(x, y)
  const length = sizeOf(output.shape)
  const inputs = shapes.map((shape, i) => {
    const values = numbers(sizeOf(shape), i)
    const memory = backend.allocate(values.byteLength)
    backend.write(memory, values)
    return memory
  })
  const result = backend.allocate(length * bytesPerElement[dtype])
  const { limits, dtypes } = backend
  const executable = backend.prepare(compile({ parameters, outputs: [output] }, { limits, dtypes }))
  await executable.ready
  executable.run(inputs, [result])
  const bytes = await backend.read(result)
  return new Float32Array(bytes.buffer, bytes.byteOffset, length)
}

/** Relative to the largest result. The convolution in tiles comes to a quarter of it, all else to less than a tenth (measured). */
const tolerance = 2e-5

/** How many programs are compared. */
export const sampleCount = samples.length

/** The work, or a DeviceLost where its backend is lost: what it waits for may then never come. */
const orLost = <T>({ name, lost }: Backend, work: Promise<T>): Promise<T> =>
  lost === undefined
    ? work
    : Promise.race([
        work,
        lost.then((reason) => {
          throw new DeviceLost(`the device '${name}' was lost while it was tested: ${reason}`, reason)
        }),
      ])

/** The names of what came out otherwise than on the backend to trust; none where all is well. @throws DeviceLost */
export const disagreements = async (backend: Backend, trusted: Backend): Promise<readonly string[]> => {
  const wrong = await Promise.all(
    samples.map(async (sample): Promise<readonly string[]> => {
      const [found, expected] = [await orLost(backend, evaluate(backend, sample)), await evaluate(trusted, sample)]
      const largest = expected.reduce((most, y) => Math.max(most, Math.abs(y)), 1)
      const agrees = range(expected.length).every(
        (i) => Math.abs((found[i] ?? NaN) - (expected[i] ?? NaN)) <= tolerance * largest,
      )
      return agrees ? [] : [sample.name]
    }),
  )
  return wrong.flat()
}
