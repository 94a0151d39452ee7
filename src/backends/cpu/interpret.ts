/**
 * The specification: a program run one primitive at a time, each as a plain loop that a reader can step through.
 *
 * Nothing here is fast and nothing is clever. Values are row-major arrays; contractions accumulate in f64, in the order of the
 * contracted index, and round once; whole numbers wrap.
 */
import { at, product, range } from '../../prelude/array.ts'
import { allocate, isWrapping, roundTo, type DType, type TypedArray } from '../../graph/dtype.ts'
import { elementwiseOps, type ElementwiseOp, type Loop, type Node, type NodeOf, type OpName } from '../../graph/ops.ts'
import { freeAxes } from '../../graph/infer.ts'
import { rowMajor, sizeOf, type Shape } from '../../graph/shape.ts'
import { canonicalise, type Program } from '../../compiler/canonicalise.ts'
import { turnOf, type Turn } from '../../compiler/turn.ts'
import { applyScalar } from './scalar.ts'
import { ascending, load, store } from './store.ts'

/** The value of a node from the values of its inputs. */
type Rule<K extends OpName> = (node: NodeOf<K>, inputs: readonly TypedArray[]) => TypedArray

/** Calls `visit` with every multi-index of `shape`, in row-major order. */
const forEachIndex = (shape: Shape, visit: (index: readonly number[], linear: number) => void): void => {
  const index = shape.map(() => 0)
  const size = sizeOf(shape)
  for (let linear = 0; linear < size; linear++) {
    visit(index, linear)
    for (let a = shape.length - 1; a >= 0; a--) {
      index[a] = (index[a] as number) + 1
      if ((index[a] as number) < (shape[a] as number)) break
      index[a] = 0
    }
  }
}

const dot = (index: readonly number[], strides: readonly number[]): number => {
  let sum = 0
  for (let a = 0; a < index.length; a++) sum += (index[a] as number) * (strides[a] as number)
  return sum
}

const empty = (node: Node): TypedArray => allocate(node.dtype, sizeOf(node.shape))

/** out[i] = x[source(i)]. */
const moveFrom = (node: Node, x: TypedArray, source: (index: readonly number[]) => number): TypedArray => {
  const out = empty(node)
  forEachIndex(node.shape, (index, i) => {
    out[i] = x[source(index)] as number
  })
  return out
}

const elementwise = (node: NodeOf<ElementwiseOp>, [x, y, z]: readonly TypedArray[]): TypedArray => {
  const out = empty(node)
  const dtype = node.inputs[0].dtype
  const [, second, third] = node.inputs as readonly Node[]
  for (let i = 0; i < out.length; i++) {
    const [a, b, c] = [
      load(x as TypedArray, i),
      second === undefined ? 0 : load(y as TypedArray, i),
      third === undefined ? 0 : load(z as TypedArray, i),
    ]
    store(out, i, applyScalar(node.op, a, b, c, dtype, node.dtype))
  }
  return out
}

/** Sums that are not rounded yet: doubles, or whole numbers modulo 2³². */
type Sums = Float64Array | Int32Array

const sumsFor = (from: DType, to: DType, size: number): Sums =>
  isWrapping(from, to) ? new Int32Array(size) : new Float64Array(size)

/** x·y and x + y as they are summed. */
const arithmetic = (
  from: DType,
  to: DType,
): { readonly times: (x: number, y: number) => number; readonly plus: (x: number, y: number) => number } =>
  isWrapping(from, to)
    ? { times: Math.imul, plus: (x, y) => (x + y) | 0 }
    : { times: (x, y) => x * y, plus: (x, y) => x + y }

/** Folds the elements of x along the reduced axes, in row-major order. */
const reduce = (
  node: NodeOf<'reduceSum' | 'reduceMax'>,
  x: TypedArray,
  sums: Sums,
  fold: (sum: number, x: number) => number,
): TypedArray => {
  const { shape } = node.inputs[0]
  const free = freeAxes(shape.length, node.attrs.axes)
  const kept = rowMajor(node.shape)
  const strides = shape.map((_, a) => (node.attrs.axes.includes(a) ? 0 : at(kept, free.indexOf(a))))
  forEachIndex(shape, (index, i) => {
    const o = dot(index, strides)
    sums[o] = fold(sums[o] as number, load(x, i))
  })
  return rounded(node, sums)
}

const rounded = (node: Node, sums: Sums): TypedArray => {
  const out = empty(node)
  sums.forEach((s, i) => {
    store(out, i, roundTo[node.dtype](s))
  })
  return out
}

const dotGeneral: Rule<'dotGeneral'> = (node, [xs, ys]) => {
  const [x, y] = node.inputs
  const { contract, batch } = node.attrs
  const [xStrides, yStrides] = [rowMajor(x.shape), rowMajor(y.shape)]
  const pick = (strides: readonly number[], axes: readonly number[]): readonly number[] =>
    axes.map((a) => at(strides, a))
  const xOut = [
    ...pick(xStrides, batch[0]),
    ...pick(xStrides, freeAxes(x.shape.length, contract[0], batch[0])),
    ...freeAxes(y.shape.length, contract[1], batch[1]).map(() => 0),
  ]
  const yOut = [
    ...pick(yStrides, batch[1]),
    ...freeAxes(x.shape.length, contract[0], batch[0]).map(() => 0),
    ...pick(yStrides, freeAxes(y.shape.length, contract[1], batch[1])),
  ]
  const depth = contract[0].map((a) => at(x.shape, a))
  const steps: (readonly [number, number])[] = []
  forEachIndex(depth, (index) =>
    steps.push([dot(index, pick(xStrides, contract[0])), dot(index, pick(yStrides, contract[1]))]),
  )
  const sums = sumsFor(x.dtype, node.dtype, sizeOf(node.shape))
  const { times, plus } = arithmetic(x.dtype, node.dtype)
  forEachIndex(node.shape, (index, i) => {
    const [xo, yo] = [dot(index, xOut), dot(index, yOut)]
    let sum = 0
    for (const [dx, dy] of steps)
      sum = plus(sum, times(load(xs as TypedArray, xo + dx), load(ys as TypedArray, yo + dy)))
    sums[i] = sum
  })
  return rounded(node, sums)
}

/** The element of a dilated, padded axis: its index in the input, or −1 where there is only padding. */
const sourceIndex = (position: number, low: number, dilation: number, length: number): number => {
  const p = position - low
  return p < 0 || p % dilation !== 0 || p / dilation >= length ? -1 : p / dilation
}

const conv: Rule<'conv'> = (node, [xs, ws]) => {
  const { stride, padLow, inputDilation, filterDilation, groups } = node.attrs
  const [h, w, c] = node.inputs[0].shape.slice(1) as [number, number, number]
  const [kh, kw, perGroup, outputs] = node.inputs[1].shape as readonly [number, number, number, number]
  const from = node.inputs[0].dtype
  const sums = sumsFor(from, node.dtype, sizeOf(node.shape))
  const { times, plus } = arithmetic(from, node.dtype)
  forEachIndex(node.shape, (index, i) => {
    const [n, oy, ox, o] = index as unknown as readonly [number, number, number, number]
    const first = Math.floor(o / (outputs / groups)) * perGroup
    let sum = 0
    for (let ky = 0; ky < kh; ky++) {
      const y = sourceIndex(oy * stride[0] + ky * filterDilation[0], padLow[0], inputDilation[0], h)
      for (let kx = 0; kx < kw; kx++) {
        const x = sourceIndex(ox * stride[1] + kx * filterDilation[1], padLow[1], inputDilation[1], w)
        if (y < 0 || x < 0) continue
        for (let k = 0; k < perGroup; k++) {
          const pixel = load(xs as TypedArray, ((n * h + y) * w + x) * c + first + k)
          sum = plus(sum, times(pixel, load(ws as TypedArray, ((ky * kw + kx) * perGroup + k) * outputs + o)))
        }
      }
    }
    sums[i] = sum
  })
  return rounded(node, sums)
}

const clamp = (i: number, rows: number): number => Math.min(Math.max(i, 0), rows - 1)

/** [outer, picks, inner] around the indexed axis. */
const extent = (shape: Shape, axis: number, indexRank: number): readonly [number, number, number] => [
  product(shape.slice(0, axis)),
  product(shape.slice(axis, axis + indexRank)),
  product(shape.slice(axis + indexRank)),
]

const leafRule = (node: Node): never => {
  throw new Error(`interpret: ${node.op} is bound or removed before a program runs`)
}

const elementwiseRules = Object.fromEntries(elementwiseOps.map((op) => [op, elementwise])) as unknown as {
  readonly [K in ElementwiseOp]: Rule<K>
}

/** Name → rule. A loop computes all that is asked of it in one go: {@link interpretLoop}. */
export const interpretRules: { readonly [K in Exclude<OpName, 'scan'>]: Rule<K> } = {
  ...elementwiseRules,
  parameter: leafRule,
  buffer: leafRule,
  alias: leafRule,
  stopGradient: leafRule,
  call: leafRule,
  constant: (node) => node.attrs.values,
  iota: (node) => {
    const out = empty(node)
    forEachIndex(node.shape, (index, i) => {
      store(out, i, at(index, node.attrs.axis))
    })
    return out
  },
  barrier: (_, [x]) => x as TypedArray,
  reduceSum: (node, [x]) => {
    const from = node.inputs[0].dtype
    const sums = sumsFor(from, node.dtype, sizeOf(node.shape))
    return reduce(node, x as TypedArray, sums, arithmetic(from, node.dtype).plus)
  },
  reduceMax: (node, [x]) =>
    reduce(node, x as TypedArray, new Float64Array(sizeOf(node.shape)).fill(-Infinity), Math.max),
  broadcast: (node, [x]) => {
    const kept = rowMajor(node.inputs[0].shape)
    const source = freeAxes(node.shape.length, node.attrs.axes)
    return moveFrom(node, x as TypedArray, (index) => source.reduce((sum, a, i) => sum + at(index, a) * at(kept, i), 0))
  },
  reshape: (_, [x]) => x as TypedArray,
  transpose: (node, [x]) => {
    const strides = rowMajor(node.inputs[0].shape)
    return moveFrom(node, x as TypedArray, (index) =>
      index.reduce((sum, v, a) => sum + v * at(strides, at(node.attrs.permutation, a)), 0),
    )
  },
  reverse: (node, [x]) => {
    const strides = rowMajor(node.shape)
    return moveFrom(node, x as TypedArray, (index) =>
      index.reduce(
        (sum, v, a) => sum + (node.attrs.axes.includes(a) ? at(node.shape, a) - 1 - v : v) * at(strides, a),
        0,
      ),
    )
  },
  pad: (node, [x]) => {
    const out = empty(node)
    const strides = rowMajor(node.shape)
    forEachIndex(node.inputs[0].shape, (index, i) => {
      const target = index.reduce(
        (sum, v, a) => sum + (at(node.attrs.low, a) + v * (at(node.attrs.interior, a) + 1)) * at(strides, a),
        0,
      )
      out[target] = (x as TypedArray)[i] as number
    })
    return out
  },
  slice: (node, [x]) => {
    const strides = rowMajor(node.inputs[0].shape)
    return moveFrom(node, x as TypedArray, (index) =>
      index.reduce((sum, v, a) => sum + (at(node.attrs.start, a) + v * at(node.attrs.stride, a)) * at(strides, a), 0),
    )
  },
  concatenate: (node, xs) => {
    const out = empty(node)
    const strides = rowMajor(node.shape)
    let before = 0
    node.inputs.forEach((x, j) => {
      forEachIndex(x.shape, (index, i) => {
        out[dot(index, strides) + before * at(strides, node.attrs.axis)] = at(xs, j)[i] as number
      })
      before += at(x.shape, node.attrs.axis)
    })
    return out
  },
  gather: (node, [table, index]) => {
    const out = empty(node)
    const rows = at(node.inputs[0].shape, node.attrs.axis)
    const [outer, picks, inner] = extent(node.shape, node.attrs.axis, node.inputs[1].shape.length)
    forEachIndex([outer, picks, inner], ([o, p, k], i) => {
      out[i] = (table as TypedArray)[
        ((o as number) * rows + clamp((index as TypedArray)[p as number] as number, rows)) * inner + (k as number)
      ] as number
    })
    return out
  },
  scatterAdd: (node, [index, updates]) => {
    const rows = node.attrs.size
    const [outer, picks, inner] = extent(node.inputs[1].shape, node.attrs.axis, node.inputs[0].shape.length)
    const sums = sumsFor(node.dtype, node.dtype, sizeOf(node.shape))
    forEachIndex([outer, picks, inner], ([o, p, k], i) => {
      const target =
        ((o as number) * rows + clamp((index as TypedArray)[p as number] as number, rows)) * inner + (k as number)
      sums[target] = (sums[target] as number) + load(updates as TypedArray, i)
    })
    return rounded(node, sums)
  },
  cumsum: (node, [x]) => {
    const { axis, reverse } = node.attrs
    const length = at(node.shape, axis)
    const [outer, , inner] = extent(node.shape, axis, 1)
    const sums = sumsFor(node.dtype, node.dtype, sizeOf(node.shape))
    forEachIndex([outer, length, inner], ([o, j, k], i) => {
      const address = (n: number): number => ((o as number) * length + n) * inner + (k as number)
      const last = reverse ? address(length - 1 - (j as number)) : i
      const before = reverse ? last + inner : last - inner
      sums[last] = (j === 0 ? 0 : (sums[before] as number)) + load(x as TypedArray, last)
    })
    return rounded(node, sums)
  },
  argsort: (node, [x]) => {
    const out = empty(node)
    const length = at(node.shape, node.attrs.axis)
    const [outer, , inner] = extent(node.shape, node.attrs.axis, 1)
    forEachIndex([outer, inner], ([o, k]) => {
      const address = (j: number): number => ((o as number) * length + j) * inner + (k as number)
      range(length)
        .toSorted((a, b) => ascending(load(x as TypedArray, address(a)), load(x as TypedArray, address(b))) || a - b)
        .forEach((j, i) => {
          out[address(i)] = j
        })
    })
    return out
  },
  dotGeneral,
  conv,
}

const apply = <K extends Exclude<OpName, 'scan'>>(node: NodeOf<K>, inputs: readonly TypedArray[]): TypedArray =>
  interpretRules[node.op](node, inputs)

/** The program of one turn of each loop: it is made once. */
const turns = new WeakMap<Loop, Map<string, Program>>()

const programOf = (loop: Loop, { parameters, outputs }: Turn): Program => {
  const known = turns.get(loop) ?? new Map<string, Program>()
  turns.set(loop, known)
  const key = `${parameters.map((p) => p.id).join()}→${outputs.map((n) => n.id).join()}`
  const program = known.get(key) ?? canonicalise(parameters, outputs)
  known.set(key, program)
  return program
}

/** The values of all nodes that ask something of one loop: its turns one after the other, each a run of its program. */
const interpretLoop = (
  nodes: readonly Node[],
  node: NodeOf<'scan'>,
  valueOf: (node: Node) => TypedArray,
): ReadonlyMap<Node, TypedArray> => {
  const turn = turnOf(nodes, node)
  const program = programOf(node.attrs.loop, turn)
  const constants = turn.constants.map(valueOf)
  const elements = turn.elements.map(valueOf)
  const stacks = turn.stacked.map(empty)
  let carries = turn.initial.map(valueOf)
  for (const t of range(turn.length)) {
    const i = turn.reverse ? turn.length - 1 - t : t
    const slices = elements.map((x) => x.subarray((i * x.length) / turn.length, ((i + 1) * x.length) / turn.length))
    const results = interpret(program, [...constants, ...carries, ...slices])
    carries = results.slice(0, carries.length)
    stacks.forEach((stack, k) => {
      stack.set(at(results, carries.length + k), (i * stack.length) / turn.length)
    })
  }
  const last = turn.last.flatMap((scan, k) => (scan === undefined ? [] : [[scan, at(carries, k)] as const]))
  return new Map<Node, TypedArray>([...last, ...turn.stacked.map((scan, k) => [scan, at(stacks, k)] as const)])
}

/** Sees the value of a node as soon as it is there. */
export type Observe = (node: Node, value: TypedArray, inputs: readonly TypedArray[]) => void

/** The values of the program's outputs for these arguments. */
export const interpret = (
  program: Program,
  inputs: readonly TypedArray[],
  observe: Observe = () => undefined,
): readonly TypedArray[] => {
  const values = new Map<Node, TypedArray>(program.parameters.map((p, i) => [p, at(inputs, i)]))
  const lastUse = new Map<Node, number>(program.nodes.flatMap((node, i) => node.inputs.map((x) => [x, i] as const)))
  const outputs = new Set(program.outputs)
  const valueOf = (node: Node): TypedArray => {
    const value = values.get(node)
    if (value === undefined) throw new Error(`interpret: ${node.op} has no value yet`)
    return value
  }
  program.nodes.forEach((node, i) => {
    const operands = node.inputs.map(valueOf)
    if (node.op === 'scan') {
      if (!values.has(node))
        for (const [of, value] of interpretLoop(program.nodes, node, valueOf)) values.set(of, value)
    } else values.set(node, values.get(node) ?? apply(node, operands))
    const value = valueOf(node)
    observe(node, value, operands)
    for (const x of node.inputs) if (lastUse.get(x) === i && !outputs.has(x)) values.delete(x)
  })
  return program.outputs.map(valueOf)
}
