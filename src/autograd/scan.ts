/**
 * The derivative of a loop: a loop that goes backwards.
 *
 * With c' = f(c, x) in every turn, the cotangent of c is that of c' pulled back through the turn, and those of what is the same in every turn are sums
 * over the turns. A turn backwards needs values of its turn forwards (residuals.ts). As in JAX, whose scan is differentiated in the same way.
 */
import { at } from '../prelude/array.ts'
import { isFloat, isNarrower, type DType } from '../graph/dtype.ts'
import { inputsOf, parametersOf, resultOf, stackedNodes } from '../graph/loop.ts'
import type { Loop, Node, NodeOf } from '../graph/ops.ts'
import { zeros, zerosLike } from '../tensor/create.ts'
import { Tensor } from '../tensor/tensor.ts'
import { forwardNodes, overResiduals, parameterOf, type Residuals } from './residuals.ts'
import { productOf, summedProduct, type Product } from './scanProducts.ts'

type Scan = NodeOf<'scan'>
type Parameter = NodeOf<'parameter'>

/** Reverse mode through the body: cotangents of the sources from those of outputs. */
type Backward = (
  seeds: readonly (readonly [output: Node, cotangent: Tensor])[],
  sources: readonly Node[],
) => readonly (Tensor | null)[]

/** A cotangent that arrives at something that was asked of the loop. */
export type Arriving = readonly (readonly [scan: Scan, cotangent: Tensor])[]

/** What flows through the turns backwards: a carry, what it begins with, and its value in the next turn. */
interface Flow {
  readonly parameter: Parameter
  readonly initial: Tensor
  readonly next: Node
}

/** The cotangent of a constant: summed turn by turn, or one product over all turns. */
type Share = { readonly kind: 'sum'; readonly flow: Flow } | { readonly kind: 'product'; readonly product: Product }

/** Halves are summed in f32 over the turns. */
const sumDType = (dtype: DType): DType => (dtype === 'f16' ? 'f32' : dtype)

const shareOf = (constant: Node, g: Tensor | null | undefined, kept: ReadonlySet<Node>): Share | undefined => {
  if (g === null || g === undefined || !isFloat(constant.dtype)) return undefined
  const product = productOf(g.node, kept)
  if (product !== undefined) return { kind: 'product', product }
  const initial = zeros(constant.shape, sumDType(constant.dtype))
  const parameter = parameterOf(initial)
  return { kind: 'sum', flow: { parameter, initial, next: new Tensor(parameter).add(g.cast(initial.dtype)).node } }
}

/** The parts of a turn backwards, over nodes of the turn forwards. */
interface Pulled {
  /** By carry; undefined where it has no gradient. */
  readonly carried: readonly (Flow | undefined)[]
  /** By constant. */
  readonly shares: readonly (Share | undefined)[]
  /** By element: its cotangent. */
  readonly elements: readonly (Node | undefined)[]
  /** Cotangents that arrive turn by turn, and the parameters that stand for them. */
  readonly stacked: readonly { readonly g: Tensor; readonly parameter: Parameter }[]
}

/** Pulls cotangents back through one turn. */
const pulled = (loop: Loop, arriving: Arriving, backward: Backward): Pulled => {
  const last = new Map(
    arriving.flatMap(([{ attrs }, g]) => (attrs.result.kind === 'last' ? [[attrs.result.carry, g] as const] : [])),
  )
  const given = loop.carries.map((carry, i) => {
    if (!isFloat(carry.dtype)) return undefined
    const initial = (last.get(i) ?? zerosLike(new Tensor(carry))).cast(carry.dtype)
    return { parameter: parameterOf(initial), initial }
  })
  const stacked = arriving.flatMap(([{ attrs }, g]) => {
    if (attrs.result.kind === 'last') return []
    const { node } = attrs.result
    return [{ node, g, parameter: parameterOf({ shape: node.shape, dtype: g.dtype }) }]
  })
  const seeds = [
    ...given.flatMap((flow, i) =>
      flow === undefined ? [] : [[at(loop.next, i), new Tensor(flow.parameter)] as const],
    ),
    ...stacked.map(({ node, parameter }) => [node, new Tensor(parameter)] as const),
  ]
  const found = inputsOf(loop, backward(seeds, parametersOf(loop)))
  const kept = new Set(found.elements.flatMap((g) => g?.node ?? []))
  return {
    stacked,
    carried: given.map((flow, i) => {
      if (flow === undefined) return undefined
      const g = found.carries[i] ?? zerosLike(flow.initial)
      return { ...flow, next: g.cast(flow.parameter.dtype).node }
    }),
    shares: loop.constants.map((constant, i) => shareOf(constant, found.constants[i], kept)),
    elements: found.elements.map((g) => g?.node),
  }
}

/** A sum in the dtype of what it is the cotangent of; where that was rounded on its way into the loop, the sum need not be. */
const asCotangentOf = (x: Node, sum: Tensor): Tensor =>
  x.op === 'cast' && isNarrower(x.dtype, x.inputs[0].dtype) ? sum : sum.cast(x.dtype)

const isThere = <T>(x: T | undefined): x is T => x !== undefined

/** What a turn backwards computes: the carries of the next turn, then what is stacked. */
const nodesOf = ({
  carried,
  shares,
  elements,
}: Pulled): { readonly flows: readonly Flow[]; readonly stacked: readonly Node[] } => ({
  flows: [...carried.filter(isThere), ...shares.flatMap((s) => (s?.kind === 'sum' ? [s.flow] : []))],
  stacked: [...elements.filter(isThere), ...shares.flatMap((s) => (s?.kind === 'product' ? s.product.sum.inputs : []))],
})

/** Cotangents of all inputs of a loop, in their order, from those of what was asked of it; null where none flows. */
export const scanCotangents = (
  family: readonly Scan[],
  arriving: Arriving,
  backward: Backward,
): readonly (Tensor | null)[] => {
  const {
    inputs,
    attrs: { loop },
  } = at(family, 0)
  const turn = pulled(loop, arriving, backward)
  const { flows, stacked } = nodesOf(turn)
  const wanted = [...flows.map((flow) => flow.next), ...stacked]
  const forward = forwardNodes(loop, stackedNodes(family.map((n) => n.attrs.result)), wanted)
  const residuals: Residuals = { constants: new Map(), elements: new Map(), stacked: new Map() }
  const outputs = overResiduals(loop, wanted, forward, residuals)
  const became = new Map(wanted.map((node, i) => [node, at(outputs, i)]))

  const inputOf = new Map<Node, Node>(parametersOf(loop).map((p, i) => [p, at(inputs, i)]))
  const outer = (nodes: Iterable<Node>): readonly Node[] => [...nodes].map((node) => inputOf.get(node) ?? node)
  const back: Loop = {
    length: loop.length,
    reverse: !loop.reverse,
    constants: [...residuals.constants.values()],
    carries: flows.map((flow) => flow.parameter),
    elements: [...turn.stacked.map((s) => s.parameter), ...residuals.elements.values(), ...residuals.stacked.values()],
    next: outputs.slice(0, flows.length),
  }
  const backInputs: readonly Node[] = [
    ...outer(residuals.constants.keys()),
    ...flows.map((flow) => flow.initial.node),
    ...turn.stacked.map((s) => s.g.node),
    ...outer(residuals.elements.keys()),
    ...[...residuals.stacked.keys()].map((node) => resultOf(loop, inputs, { kind: 'stacked', node })),
  ]
  const lastOf = (flow: Flow): Tensor =>
    new Tensor(resultOf(back, backInputs, { kind: 'last', carry: flows.indexOf(flow) }))
  const stackOf = (node: Node): Tensor =>
    new Tensor(resultOf(back, backInputs, { kind: 'stacked', node: became.get(node) ?? node }))
  return [
    ...turn.shares.map((share, i) => {
      if (share === undefined) return null
      const sum = share.kind === 'sum' ? lastOf(share.flow) : summedProduct(share.product, stackOf)
      return asCotangentOf(at(inputs, i), sum)
    }),
    ...turn.carried.map((flow) => (flow === undefined ? null : lastOf(flow))),
    ...turn.elements.map((node) => (node === undefined ? null : stackOf(node))),
  ]
}
