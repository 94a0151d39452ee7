/**
 * What must hold of every program, each as a check of one function at one point: configurations agree with the specification, calls and
 * checkpoints change no bit of a gradient, the pullback is the adjoint of the derivative, and both are what differences say.
 */
import { grad, jvp, vjp } from '../../src/autograd/index.ts'
import { isFloat } from '../../src/graph/dtype.ts'
import { rebuilt } from '../../src/graph/node.ts'
import type { Node } from '../../src/graph/ops.ts'
import { substitute } from '../../src/graph/substitute.ts'
import { dependents, reachable } from '../../src/graph/traverse.ts'
import { constant, scalar } from '../../src/tensor/create.ts'
import type { Device } from '../../src/tensor/device.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { configurations, specification, type Configuration } from '../devices.ts'
import { difference, sensitivities, type Output } from './compare.ts'
import { lossOf } from './program.ts'
import { roundingOf } from './rounding.ts'
import { choices } from './value.ts'

/** A function of data. */
export type Subject = (...xs: readonly Tensor[]) => readonly Tensor[]

/** A law of one function at one point. */
export interface Check {
  readonly name: string
  /** What is wrong; undefined when the law holds. */
  readonly run: (f: Subject, inputs: readonly Tensor[]) => Promise<string | undefined>
  /** The check in a printed test: an expression over `f` and `inputs` that is a promise of undefined, and what it imports. */
  readonly code: { readonly expression: string; readonly imports: readonly Import[] }
}

/** `import { name } from '<root>/path'`. */
export interface Import {
  readonly name: string
  readonly path: string
}

/** A configuration with what comparing it asks for. */
export interface Candidate extends Configuration {
  /** How a printed test names it; absent for one of `proof/devices.ts`. */
  readonly code?: { readonly expression: string; readonly imports: readonly Import[] }
}

/** The configuration of this name in `proof/devices.ts`. */
export const configuration = (name: string): Candidate => {
  const found = [specification, ...configurations].find((c) => c.name === name)
  if (found === undefined) throw new Error(`there is no configuration '${name}'`)
  return found
}

/** How a function is run. */
export type Route = 'compile' | 'realize'

/** The values of `f` at `inputs` on a device. */
export const evaluate = async (
  device: Device,
  route: Route,
  f: Subject,
  inputs: readonly Tensor[],
): Promise<readonly Output[]> => {
  const results = route === 'compile' ? await device.compile(f)(...inputs) : await device.realize(f(...inputs))
  return Promise.all(
    results.map(async (x) => ({ dtype: x.dtype, shape: x.shape, values: [...(await device.read(x))] })),
  )
}

/** A graph over data as a function of that data. */
export const asSubject = (outputs: readonly Node[]): { readonly f: Subject; readonly inputs: readonly Tensor[] } => {
  const buffers = reachable(outputs).filter((n) => n.op === 'buffer')
  return {
    f: (...xs) =>
      substitute(outputs, new Map(buffers.map((b, i) => [b, (xs[i] as Tensor).node]))).map((n) => new Tensor(n)),
    inputs: buffers.map((b) => new Tensor(b)),
  }
}

/**
 * The graph with calls replaced by what they compute; those with a derivative of their own stay where `keepRules` says so. Nodes are made
 * again in the order of the program, down to those of `ends`.
 */
export const inlined = (
  outputs: readonly Node[],
  keepRules: boolean,
  ends: ReadonlyMap<Node, Node> = new Map(),
): readonly Node[] => {
  const became = new Map<Node, Node>(ends)
  const bodies = new Map<readonly Node[], readonly Node[]>() // results of one call share their list of inputs
  const resolve = (node: Node): Node => became.get(node) ?? node
  for (const node of reachable(outputs, new Set(ends.keys()))) {
    if (became.has(node) || node.inputs.length === 0) continue
    const inputs = node.inputs.map(resolve)
    if (node.op !== 'call' || (keepRules && node.attrs.definition.vjp !== undefined)) {
      became.set(node, rebuilt(node, inputs))
      continue
    }
    const { parameters, outputs: results } = node.attrs.definition
    const body =
      bodies.get(node.inputs) ?? inlined(results, keepRules, new Map(parameters.map((p, i) => [p, inputs[i] as Node])))
    bodies.set(node.inputs, body)
    became.set(node, body[node.attrs.output] as Node)
  }
  return outputs.map(resolve)
}

/**
 * Whether a convolution of the graph meets an infinity or a NaN: how often padding is multiplied is not specified, and 0·∞ is no number.
 */
export const isUndefined = async (outputs: readonly Node[]): Promise<boolean> => {
  const operands = reachable(inlined(outputs, false)).flatMap((n) => (n.op === 'conv' ? n.inputs : []))
  if (operands.length === 0) return false
  const device = specification.open()
  const values = await device.realize([...new Set(operands)].map((n) => new Tensor(n)))
  return (await Promise.all(values.map(async (x) => device.read(x)))).some((v) => v.some((e) => !Number.isFinite(e)))
}

const nodesOf = (f: Subject, inputs: readonly Tensor[]): readonly Node[] => f(...inputs).map((x) => x.node)

/** The values of a graph over data, one primitive at a time. */
const onSpecification = async (outputs: readonly Node[]): Promise<readonly Output[]> => {
  const { f, inputs } = asSubject(outputs)
  return evaluate(specification.open(), 'compile', f, inputs)
}

/** The difference between what a candidate gives and what is expected, as {@link agreement} words it. */
export const compared = async (
  candidate: Candidate,
  device: Device,
  route: Route,
  f: Subject,
  inputs: readonly Tensor[],
  expected: readonly Output[],
): Promise<string | undefined> => {
  const { tolerance } = candidate
  try {
    const actual = await evaluate(device, route, f, inputs)
    if (tolerance === undefined) return difference(actual, expected)
    const outputs = nodesOf(f, inputs)
    const allowed = { tolerance, sensitivity: sensitivities(outputs) }
    if (difference(actual, expected, allowed) === undefined) return undefined
    return difference(actual, expected, {
      ...allowed,
      rounding: await roundingOf(inlined(outputs, false), expected, onSpecification),
    })
  } catch (e) {
    return `threw ${String(e)}`
  }
}

/** The candidate gives what the specification gives. */
export const agreement = (candidate: Candidate, route: Route): Check => ({
  name: `${candidate.name}, ${route}`,
  run: async (f, inputs) => {
    const expected = await evaluate(specification.open(), 'compile', f, inputs)
    const found = await compared(candidate, candidate.open(), route, f, inputs, expected)
    return found === undefined || (await isUndefined(nodesOf(f, inputs))) ? undefined : found
  },
  code: {
    expression: `agreement(${candidate.code?.expression ?? `configuration(${JSON.stringify(candidate.name)})`}, '${route}')`,
    imports: [
      { name: 'agreement', path: 'proof/fuzz/checks.ts' },
      ...(candidate.code?.imports ?? [{ name: 'configuration', path: 'proof/fuzz/checks.ts' }]),
    ],
  },
})

const floatsOf = (xs: readonly Tensor[]): readonly Tensor[] => xs.filter((x) => isFloat(x.dtype))

/** `f` as a function of its float inputs alone, the others standing still. */
const ofFloats =
  (f: Subject, inputs: readonly Tensor[]): Subject =>
  (...floats) => {
    const queue = floats.values()
    return f(...inputs.map((x) => (isFloat(x.dtype) ? (queue.next().value as Tensor) : x)))
  }

/** The gradient of the sum of the float outputs (`lossOf`) with respect to the float inputs. */
export const gradientOf =
  (f: Subject): Subject =>
  (...inputs) =>
    grad((params: readonly Tensor[]) => lossOf(ofFloats(f, inputs)(...params)))(floatsOf(inputs))

const own = (name: string, run: Check['run'], exported: string): Check => ({
  name,
  run,
  code: { expression: exported, imports: [{ name: exported, path: 'proof/fuzz/checks.ts' }] },
})

/** A call and a checkpoint change no bit of a gradient: it is that of the function with their bodies in their places. */
export const transparency: Check = own(
  'calls are transparent to gradients',
  async (f, inputs) => {
    const device = specification.open()
    const bare: Subject = (...xs) =>
      inlined(nodesOf(f, xs), true, new Map(xs.map((x) => [x.node, x.node]))).map((n) => new Tensor(n))
    const expected = await evaluate(device, 'compile', gradientOf(bare), inputs)
    return difference(await evaluate(device, 'compile', gradientOf(f), inputs), expected)
  },
  'transparency',
)

/** Fixed numbers in [−1, 1), as part of the program. */
const weights = (like: Tensor, seed: number): Tensor => {
  const choose = choices(seed)
  return constant(
    Float64Array.from({ length: like.size }, () => choose(2000) / 1000 - 1),
    { shape: like.shape, dtype: 'f64' },
  ).cast(like.dtype)
}

const dot = (xs: readonly Tensor[], ys: readonly Tensor[]): readonly [sum: Tensor, magnitude: Tensor] => {
  const terms = xs.map((x, i) => x.cast('f64').mul((ys[i] as Tensor).cast('f64')))
  const zero = constant(0, { dtype: 'f64' })
  return [terms.reduce((s, t) => s.add(t.sum()), zero), terms.reduce((s, t) => s.add(t.abs().sum()), zero)]
}

const read = async (f: Subject, inputs: readonly Tensor[]): Promise<readonly number[]> =>
  (await evaluate(specification.open(), 'compile', f, inputs)).map((o) => o.values[0] as number)

/** ⟨ct, J·v⟩ = ⟨Jᵀ·ct, v⟩, relative to the terms' magnitudes; for programs whose floats are f64. */
export const duality: Check = own(
  'the pullback is the adjoint of the derivative',
  async (f, inputs) => {
    const sums: Subject = (...xs) => {
      const g: Subject = (...floats) => floatsOf(ofFloats(f, xs)(...floats))
      const primals = floatsOf(xs)
      const v = primals.map((x, i) => weights(x, i))
      const { value, tangent } = jvp(g, [...primals], v)
      const ct = value.map((y, i) => weights(y, 100 + i))
      return [...dot(ct, tangent), ...dot(vjp(g, ...primals).pullback(ct), v)]
    }
    const [left = 0, leftTerms = 0, right = 0, rightTerms = 0] = await read(sums, inputs)
    if (!Number.isFinite(leftTerms + rightTerms)) return undefined
    const bound = 1e-10 * (leftTerms + rightTerms)
    return Math.abs(left - right) <= bound ? undefined : `⟨ct, J·v⟩ is ${left}, ⟨Jᵀ·ct, v⟩ is ${right}`
  },
  'duality',
)

/** φ′(0) by the 5-point stencil with step h. */
const stencil = (phi: ReadonlyMap<number, number>, h: number): number => {
  const at = (t: number): number => phi.get(t) ?? NaN
  return (at(-2 * h) - 8 * at(-h) + 8 * at(h) - at(2 * h)) / (12 * h)
}

/** Where a small change of a float may make a jump, or one that the gradient is told not to see. */
const jumps = (node: Node): boolean =>
  node.op === 'stopGradient' ||
  ((node.op === 'cast' ||
    node.op === 'bitcast' ||
    node.op === 'less' ||
    node.op === 'equal' ||
    node.op === 'argsort') &&
    isFloat(node.inputs[0].dtype) &&
    !isFloat(node.dtype)) ||
  node.op === 'floor'

const isFloatLeaf = (node: Node): boolean => (node.op === 'buffer' || node.op === 'parameter') && isFloat(node.dtype)

/** Whether something between float leaves and float results jumps. */
const jumpsWithin = (results: readonly Node[]): boolean => {
  const nodes = reachable(results.filter((n) => isFloat(n.dtype)))
  const moving = dependents(nodes, new Set(nodes.filter(isFloatLeaf)))
  return nodes.some((n) => moving.has(n) && (jumps(n) || (n.op === 'call' && jumpsWithin(n.attrs.definition.outputs))))
}

/** Whether differences can say anything of these results: {@link differences} holds vacuously for others. */
export const isSmooth = (ys: readonly Tensor[]): boolean => !jumpsWithin(ys.map((y) => y.node))

const h = 2 ** -11

/** φ(0) from the same places, with an error of the fourth order: where it is another, φ jumps at 0 itself, and no stencil sees it. */
const middle = (phi: ReadonlyMap<number, number>): number => {
  const at = (t: number): number => phi.get(t) ?? NaN
  return (4 * (at(h) + at(-h)) - at(2 * h) - at(-2 * h)) / 6
}

/**
 * The gradient's component in a fixed direction is the difference quotient; for smooth programs in f64. Two step widths tell how well the
 * quotient itself is known; where they disagree the function bends too fast to be judged.
 */
export const differences: Check = own(
  'the gradient is what differences say',
  async (f, inputs) => {
    if (!isSmooth(f(...inputs))) return undefined
    const phi: Subject = (t, ...xs) => {
      const moved = floatsOf(xs).map((x, i) => x.add(weights(x, i).mul(t.broadcastTo(x.shape))))
      return [lossOf(ofFloats(f, xs)(...moved))]
    }
    const device = specification.open()
    const compiled = device.compile(phi)
    const values = new Map<number, number>()
    for (const k of [-4, -2, -1, 0, 1, 2, 4]) {
      const [y] = await compiled(scalar(k * h, 'f64'), ...inputs)
      values.set(k * h, (await device.read(y as Tensor))[0] as number)
    }
    const slope: Subject = (...xs) =>
      dot(
        gradientOf(f)(...xs),
        floatsOf(xs).map((x, i) => weights(x, i)),
      )
    const [exact = 0, magnitude = 0] = await read(slope, inputs)
    const [coarse, fine] = [stencil(values, 2 * h), stencil(values, h)]
    const scale = 1 + magnitude + Math.abs(values.get(h) ?? 0)
    const known = Math.abs(coarse - fine)
    if (!(known <= 1e-5 * scale && Math.abs(middle(values) - (values.get(0) ?? NaN)) <= 1e-5 * scale)) return undefined
    return Math.abs(fine - exact) <= known + 1e-9 * scale
      ? undefined
      : `the slope is ${exact}, differences say ${fine} (± ${known})`
  },
  'differences',
)
