/**
 * Batching rules: for each primitive, the node that does for all slices at once what the given node does for one.
 *
 * A rule is asked for nodes with at least one mapped input. Mapped inputs have the batch axis in front, and so has what a rule gives. The table is total:
 * a primitive without a rule does not compile. Source: JAX's batching rules (`jax.interpreters.batching`), Bradbury et al. 2018.
 */
import { makeNode, rebuilt } from '../../graph/node.ts'
import { isElementwise, type ElementwiseOp, type Node, type NodeOf, type OpName } from '../../graph/ops.ts'
import { shifted, type Batching } from './batching.ts'
import { batchConv, batchDot } from './contraction.ts'
import { batchGather, batchScatterAdd } from './indexing.ts'

/** Primitives with a rule of their own; all elementwise ones have the same, a `call` is batched through its definition and a `scan` through its body, see batch.ts. */
type RuledOp = Exclude<OpName, ElementwiseOp | 'call' | 'scan'>

/** The node for all slices from the node for one. */
type BatchingRule<K extends OpName> = (node: NodeOf<K>, batching: Batching) => Node

/** Leaves have no inputs, so none that is mapped. */
const leaf = (node: Node): Node => node

/** Element by element: inputs that are not mapped are repeated. */
const pointwise = (node: NodeOf<ElementwiseOp | 'alias' | 'stopGradient'>, { mapped }: Batching): Node =>
  rebuilt(node, node.inputs.map(mapped))

/** THE table. */
const batchingRules: { readonly [K in RuledOp]: BatchingRule<K> } = {
  // ── leaves and annotations ────────────────────────────────────────────────────────────────────────────────────────
  parameter: leaf,
  buffer: leaf,
  constant: leaf,
  iota: leaf,
  alias: pointwise,
  stopGradient: pointwise,
  barrier: ({ inputs: [x, waitedFor] }, { mapped, plain }) => makeNode('barrier', {}, [mapped(x), plain(waitedFor)]),

  // ── reduction and movement: the same along axes that are one further back ─────────────────────────────────────────
  reduceSum: ({ inputs: [x], attrs }, { mapped }) =>
    makeNode('reduceSum', { ...attrs, axes: shifted(attrs.axes) }, [mapped(x)]),
  reduceMax: ({ inputs: [x], attrs }, { mapped }) => makeNode('reduceMax', { axes: shifted(attrs.axes) }, [mapped(x)]),
  broadcast: ({ inputs: [x], attrs: { shape, axes } }, { size, mapped }) =>
    makeNode('broadcast', { shape: [size, ...shape], axes: shifted(axes) }, [mapped(x)]),
  reshape: ({ inputs: [x], attrs }, { size, mapped }) =>
    makeNode('reshape', { shape: [size, ...attrs.shape] }, [mapped(x)]),
  transpose: ({ inputs: [x], attrs }, { mapped }) =>
    makeNode('transpose', { permutation: [0, ...shifted(attrs.permutation)] }, [mapped(x)]),
  reverse: ({ inputs: [x], attrs }, { mapped }) => makeNode('reverse', { axes: shifted(attrs.axes) }, [mapped(x)]),
  pad: ({ inputs: [x], attrs: { low, high, interior } }, { mapped }) =>
    makeNode('pad', { low: [0, ...low], high: [0, ...high], interior: [0, ...interior] }, [mapped(x)]),
  slice: ({ inputs: [x], attrs: { start, limit, stride } }, { size, mapped }) =>
    makeNode('slice', { start: [0, ...start], limit: [size, ...limit], stride: [1, ...stride] }, [mapped(x)]),
  concatenate: ({ inputs, attrs: { axis } }, { mapped }) =>
    makeNode('concatenate', { axis: axis + 1 }, inputs.map(mapped)),

  // ── indexing and contraction ──────────────────────────────────────────────────────────────────────────────────────
  gather: batchGather,
  scatterAdd: batchScatterAdd,
  argsort: ({ inputs: [x], attrs: { axis } }, { mapped }) => makeNode('argsort', { axis: axis + 1 }, [mapped(x)]),
  cumsum: ({ inputs: [x], attrs }, { mapped }) => makeNode('cumsum', { ...attrs, axis: attrs.axis + 1 }, [mapped(x)]),
  dotGeneral: batchDot,
  conv: batchConv,
}

const applyOwn = <K extends RuledOp>(node: NodeOf<K>, batching: Batching): Node =>
  batchingRules[node.op](node, batching)

/** The rule of the node's primitive, applied. */
export const applyBatching = (node: NodeOf<Exclude<OpName, 'call' | 'scan'>>, batching: Batching): Node =>
  isElementwise(node) ? pointwise(node, batching) : applyOwn(node, batching)
