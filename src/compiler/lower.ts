/**
 * From a fused program to kernels over numbered buffers.
 *
 * Every node gets an access: how its values are reached. A literal is reached without memory, an iota by its address, everything
 * else by a view of a buffer; movement primitives only change the view. Nodes that are computed inside a kernel have no access.
 */
import { at, equalNumbers, product } from '../prelude/array.ts'
import { isElementwise, type ElementwiseOp, type Node, type NodeOf, type OpName } from '../graph/ops.ts'
import { roundTo } from '../graph/dtype.ts'
import { rowMajor, sizeOf } from '../graph/shape.ts'
import { freeAxes } from '../graph/infer.ts'
import { uniformValue, type Program } from './canonicalise.ts'
import {
  accessOf,
  addBuffer,
  bodyOf,
  instructionFor,
  targetOf,
  temporary,
  type Access,
  type Lowering,
} from './access.ts'
import type { Fusion } from './fuse.ts'
import type { Kernel, Operand, PlacedPart, SortKernel } from './kernel.ts'
import { memoryKey, type Buffer } from './buffer.ts'
import type { Limits } from './limits.ts'
import { lowerScan } from './loop.ts'
import { refined } from './nest.ts'
import { copy, denseOperand, operand, shapedAccess } from './operand.ts'
import type { Cause } from './reason.ts'
import { coalesce, contiguous, moved, reshaped, type MovementOp, type View } from './view.ts'

const emit = (to: Lowering, node: Node, kernel: Kernel): void => {
  to.kernels.push(kernel)
  to.access.set(node, { kind: 'buffer', buffer: kernel.output, view: contiguous(node.shape) })
}

/** Why the kernel of a root ends there. */
const causeOf = (to: Lowering, node: Node): Cause => {
  const cause = to.fusion.get(node)
  if (cause === undefined) throw new Error(`lower: ${node.op} is computed inside another kernel`)
  return cause
}

const elementwise = (to: Lowering, node: Node): void => {
  const { size, instructions, names } = bodyOf(to, node)
  emit(to, node, {
    kind: 'elementwise',
    body: { size, instructions },
    output: targetOf(to, node),
    dtype: node.dtype,
    computes: names.join(' '),
    reason: causeOf(to, node),
    flops: size * names.length,
  })
}

const reduce = (to: Lowering, node: NodeOf<'reduceSum' | 'reduceMax'>): void => {
  const [x] = node.inputs
  const { size, instructions, names } = bodyOf(to, x)
  const kept = rowMajor(node.shape)
  const free = freeAxes(x.shape.length, node.attrs.axes)
  const strides = x.shape.map((_, a) => (node.attrs.axes.includes(a) ? 0 : at(kept, free.indexOf(a))))
  emit(to, node, {
    kind: 'reduce',
    operation: node.op === 'reduceSum' ? 'sum' : 'max',
    body: { size, instructions },
    target: { offset: 0, shape: x.shape, strides },
    size: sizeOf(node.shape),
    output: targetOf(to, node),
    dtype: node.dtype,
    computes: [...names, node.op].join(' '),
    reason: causeOf(to, node),
    flops: size * (names.length + 1),
  })
}

/** Rows this long are read as they lie: a view in other axes than its node's saves a copy. */
const longRow = 16

/** Whether a view's innermost run is long enough that no reader wants a copy of it. */
const hasLongRows = (view: View): boolean => {
  const runs = coalesce(view)
  return runs.strides.at(-1) === 1 && (runs.shape.at(-1) ?? 0) >= longRow
}

const record = (
  to: Lowering,
  node: Node,
  flops: number,
  reason: Cause,
): Pick<Kernel, 'output' | 'dtype' | 'computes' | 'reason' | 'flops'> => ({
  output: targetOf(to, node),
  dtype: node.dtype,
  computes: node.op,
  reason: to.outputIndex.has(node) ? 'output' : reason,
  flops,
})

/** An operand of a contraction, and for each axis of its node the axes of the view that it consists of. */
const contracted = (
  to: Lowering,
  node: Node,
): { readonly operand: Operand; readonly axes: (list: readonly number[]) => readonly number[] } => {
  const access = accessOf(to, node)
  const isShaped = access.kind !== 'buffer' || equalNumbers(access.view.shape, node.shape)
  const found = isShaped ? undefined : refined(access.view, node.shape)
  if (access.kind !== 'buffer' || found === undefined) return { operand: operand(to, node), axes: (list) => list }
  const { view, parts } = found
  return {
    operand: { buffer: access.buffer, view, dtype: node.dtype },
    axes: (list) => list.flatMap((a) => at(parts, a)),
  }
}

const gemm = (to: Lowering, node: NodeOf<'dotGeneral'>): void => {
  const [x, y] = node.inputs
  const { contract, batch } = node.attrs
  const [left, right] = [contracted(to, x), contracted(to, y)]
  const depth = product(contract[0].map((a) => at(x.shape, a)))
  emit(to, node, {
    kind: 'gemm',
    x: left.operand,
    y: right.operand,
    axes: {
      batch: [left.axes(batch[0]), right.axes(batch[1])],
      contract: [left.axes(contract[0]), right.axes(contract[1])],
      rows: left.axes(freeAxes(x.shape.length, contract[0], batch[0])),
      columns: right.axes(freeAxes(y.shape.length, contract[1], batch[1])),
    },
    ...record(to, node, 2 * sizeOf(node.shape) * depth, 'contraction'),
  })
}

const conv = (to: Lowering, node: NodeOf<'conv'>): void => {
  const [x, w] = node.inputs
  const operands = { x: operand(to, x), filter: operand(to, w) }
  const flops = 2 * sizeOf(node.shape) * product(w.shape.slice(0, 3))
  emit(to, node, {
    kind: 'conv',
    ...operands,
    attrs: node.attrs,
    shape: node.shape,
    ...record(to, node, flops, 'convolution'),
  })
}

/** Operands of any number: from where a kernel would touch too many memories on, they are copied into the arena. */
const partOperands = (to: Lowering, nodes: readonly Node[]): readonly Operand[] => {
  const { buffers, memories: most } = to.limits
  const memories = new Set<string>(['arena', 'the result'])
  return nodes.map((node) => {
    const found = operand(to, node)
    const memory = memoryKey(at(to.buffers, found.buffer))
    if (memories.has(memory) || memories.size < most) {
      memories.add(memory)
      return found
    }
    copy(to, node, accessOf(to, node), { kind: 'too wide', buffers, memories: most }, temporary(to, node))
    return operand(to, node)
  })
}

/** Where the inputs go: for each, its first element in the output, and the steps between its elements, along every axis. */
const placesOf = (node: NodeOf<'pad' | 'concatenate'>): readonly Pick<PlacedPart, 'start' | 'stride'>[] => {
  if (node.op === 'pad') return [{ start: node.attrs.low, stride: node.attrs.interior.map((n) => n + 1) }]
  const { axis } = node.attrs
  const before = (i: number): number => node.inputs.slice(0, i).reduce((sum, x) => sum + at(x.shape, axis), 0)
  return node.inputs.map((_, i) => ({
    start: node.shape.map((__, a) => (a === axis ? before(i) : 0)),
    stride: node.shape.map(() => 1),
  }))
}

const place = (to: Lowering, node: NodeOf<'pad' | 'concatenate'>): void => {
  const operands = partOperands(to, node.inputs)
  const parts = placesOf(node).map((where, i) => ({ from: at(operands, i), ...where }))
  emit(to, node, { kind: 'place', parts, shape: node.shape, ...record(to, node, 0, 'windows') })
}

const gather = (to: Lowering, node: NodeOf<'gather'>): void => {
  const [table, index] = node.inputs
  const { axis } = node.attrs
  const extent = {
    outer: product(table.shape.slice(0, axis)),
    rows: at(table.shape, axis),
    picks: sizeOf(index.shape),
    inner: product(table.shape.slice(axis + 1)),
  }
  const operands = { table: denseOperand(to, table), index: denseOperand(to, index) }
  emit(to, node, { kind: 'gather', ...operands, extent, ...record(to, node, 0, 'gather') })
}

const scatter = (to: Lowering, node: NodeOf<'scatterAdd'>): void => {
  const [index, updates] = node.inputs
  const { axis, size } = node.attrs
  const inner = product(updates.shape.slice(axis + index.shape.length))
  const extent = { outer: product(updates.shape.slice(0, axis)), rows: size, picks: sizeOf(index.shape), inner }
  const operands = { updates: denseOperand(to, updates), index: denseOperand(to, index) }
  emit(to, node, {
    kind: 'scatter',
    ...operands,
    extent,
    ...record(to, node, sizeOf(updates.shape), 'scatter'),
  })
}

/** Lengths before an axis, of it, and behind it. */
const around = ({ shape }: Node, axis: number): Pick<SortKernel, 'outer' | 'length' | 'inner'> => ({
  outer: product(shape.slice(0, axis)),
  length: at(shape, axis),
  inner: product(shape.slice(axis + 1)),
})

const sort = (to: Lowering, node: NodeOf<'argsort'>): void => {
  emit(to, node, {
    kind: 'sort',
    from: denseOperand(to, node.inputs[0]),
    ...around(node, node.attrs.axis),
    ...record(to, node, 0, 'sort'),
  })
}

const cumsum = (to: Lowering, node: NodeOf<'cumsum'>): void => {
  emit(to, node, {
    kind: 'cumsum',
    from: denseOperand(to, node.inputs[0]),
    reverse: node.attrs.reverse,
    ...around(node, node.attrs.axis),
    ...record(to, node, sizeOf(node.shape), 'cumsum'),
  })
}

const movement = (to: Lowering, node: NodeOf<MovementOp>): void => {
  const access = shapedAccess(to, node.inputs[0])
  to.access.set(node, access.kind === 'literal' ? access : { ...access, view: moved(access.view, node) })
}

const reshape = (to: Lowering, node: NodeOf<'reshape'>): void => {
  const access = to.access.get(node.inputs[0])
  if (access === undefined) return // computed inside the kernel that uses it
  if (access.kind === 'literal') {
    to.access.set(node, access)
    return
  }
  const view = reshaped(access.view, node.shape)
  to.access.set(node, { ...access, view: view ?? access.view })
  // Kernels that walk a linear index, and contractions, read long rows in whatever axes they lie; the others copy them when they come.
  if (view === undefined && !hasLongRows(access.view)) shapedAccess(to, node)
}

const literal = (to: Lowering, node: NodeOf<'constant'>): void => {
  const value = node.shape.length === 0 ? uniformValue(node) : undefined
  const buffer = (): Access => ({
    kind: 'buffer',
    buffer: addBuffer(to, {
      dtype: node.dtype,
      length: node.attrs.values.length,
      placement: { kind: 'literal', values: node.attrs.values, offset: 0 },
    }),
    view: contiguous(node.shape),
  })
  to.access.set(node, value === undefined ? buffer() : { kind: 'literal', value })
}

const argument = (to: Lowering, node: NodeOf<'parameter'>): void => {
  const buffer = addBuffer(to, {
    dtype: node.dtype,
    length: sizeOf(node.shape),
    placement: { kind: 'argument', index: node.attrs.index },
  })
  to.access.set(node, { kind: 'buffer', buffer, view: contiguous(node.shape) })
}

const iota = (to: Lowering, node: NodeOf<'iota'>): void => {
  const strides = node.shape.map((_, a) => (a === node.attrs.axis ? 1 : 0))
  to.access.set(node, { kind: 'index', view: { offset: 0, shape: node.shape, strides } })
}

const barrier = (to: Lowering, node: NodeOf<'barrier'>): void => {
  to.access.set(node, accessOf(to, node.inputs[0]))
}

/** Primitives that the canonical form has no more, and leaves of data, for which parameters stand. */
type GoneOp = 'alias' | 'stopGradient' | 'call' | 'buffer'

/** Primitives that need no kernel: what they are is only another way to reach values. */
type ReachedOp = 'parameter' | 'constant' | 'iota' | 'barrier' | 'reshape' | MovementOp

/** Primitives whose kernel writes a buffer. */
type WrittenOp = Exclude<OpName, ElementwiseOp | GoneOp | ReachedOp>

type Rules<Ops extends OpName> = { readonly [K in Ops]: (to: Lowering, node: NodeOf<K>) => void }

const reached: Rules<ReachedOp> = {
  parameter: argument,
  constant: literal,
  iota,
  barrier,
  reshape,
  transpose: movement,
  broadcast: movement,
  slice: movement,
  reverse: movement,
}

const written: Rules<WrittenOp> = {
  reduceSum: reduce,
  reduceMax: reduce,
  pad: place,
  concatenate: place,
  gather,
  scatterAdd: scatter,
  argsort: sort,
  cumsum,
  dotGeneral: gemm,
  conv,
  scan: lowerScan,
}

const rules: Rules<ReachedOp | WrittenOp> = { ...reached, ...written }

const isLowered = (node: Node): node is NodeOf<ReachedOp | WrittenOp> => Object.hasOwn(rules, node.op)

const applyRule = <K extends ReachedOp | WrittenOp>(to: Lowering, node: NodeOf<K>): void => {
  rules[node.op](to, node)
}

/** The one value of what is summed, joined or placed out of no elements; undefined where there are some, or there is none to be made. */
const valueOfNothing = (node: Node): number | undefined => {
  switch (node.op) {
    case 'reduceMax':
      return sizeOf(node.inputs[0].shape) === 0 ? roundTo[node.dtype](-Infinity) : undefined
    case 'reduceSum':
    case 'pad':
    case 'concatenate':
      return node.inputs.every((x) => sizeOf(x.shape) === 0) ? 0 : undefined
    case 'dotGeneral':
    case 'conv':
    case 'scatterAdd':
      return node.inputs.some((x) => sizeOf(x.shape) === 0) ? 0 : undefined
    case 'gather':
    case 'argsort':
    case 'cumsum':
      return sizeOf(node.shape) === 0 ? 0 : undefined
    default:
      return undefined
  }
}

const lowerNode = (to: Lowering, node: Node): void => {
  const value = valueOfNothing(node)
  if (value !== undefined) to.access.set(node, { kind: 'literal', value })
  else if (isElementwise(node)) {
    if (to.fusion.has(node)) elementwise(to, node)
  } else if (isLowered(node)) applyRule(to, node)
  else throw new Error(`lower: ${node.op} should not reach the lowering`)
}

/** Results that are an argument, a literal, a view or another result again are copied: outputs never alias. */
const finishOutputs = (to: Lowering): void => {
  to.program.outputs.forEach((node, index) => {
    const access = accessOf(to, node)
    if (access.kind === 'buffer') {
      const { placement } = at(to.buffers, access.buffer)
      if (placement.kind === 'output' && placement.index === index && to.outputIndex.get(node) === index) return
    }
    const output = addBuffer(to, {
      dtype: node.dtype,
      length: sizeOf(node.shape),
      placement: { kind: 'output', index },
    })
    to.kernels.push({
      kind: 'elementwise',
      body: { size: sizeOf(node.shape), instructions: [instructionFor(access, node.dtype)] },
      output,
      dtype: node.dtype,
      computes: 'copy',
      reason: 'no aliases',
      flops: 0,
    })
  })
}

const makesItsBuffer = (node: Node): boolean => isElementwise(node) || Object.hasOwn(written, node.op)

/** Kernels and unplaced buffers of a program whose nodes have been assigned to kernels. */
export const lower = (
  program: Program,
  fusion: Fusion,
  limits: Limits,
  compileBody: Lowering['compileBody'],
): { readonly kernels: readonly Kernel[]; readonly buffers: readonly Buffer[] } => {
  const outputIndex = new Map<Node, number>()
  program.outputs.forEach((node, i) => {
    if (makesItsBuffer(node) && !outputIndex.has(node)) outputIndex.set(node, i)
  })
  const to: Lowering = {
    program,
    fusion,
    limits,
    compileBody,
    buffers: [],
    kernels: [],
    access: new Map(),
    outputIndex,
  }
  const used = new Set(program.nodes)
  for (const parameter of program.parameters) if (!used.has(parameter)) argument(to, parameter)
  for (const node of program.nodes) lowerNode(to, node)
  finishOutputs(to)
  return { kernels: to.kernels, buffers: to.buffers }
}
