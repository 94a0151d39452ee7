/** The compiler: from a graph to a plan, pass by pass. */
import { TraceError } from '../prelude/errors.ts'
import type { DType } from '../graph/dtype.ts'
import { allDTypes, requireDTypes } from './dtypes.ts'
import type { Node, NodeOf } from '../graph/ops.ts'
import { showShape } from '../graph/shape.ts'
import { reachable } from '../graph/traverse.ts'
import { place, placeLiterals } from './arena.ts'
import { canonicalise } from './canonicalise.ts'
import type { Buffer } from './buffer.ts'
import { appendEpilogues } from './epilogue.ts'
import { fuse, keepApart } from './fuse.ts'
import { groupKernels } from './group.ts'
import { joinKernels } from './join.ts'
import { usualLimits, type Limits } from './limits.ts'
import { lower } from './lower.ts'
import { overwritesOf } from './overwrite.ts'
import { allPasses, type Passes } from './passes.ts'
import type { Plan, Slot } from './plan.ts'
import { mergeRows } from './rows.ts'
import { inOrder, timelineOf } from './timeline.ts'

const slot = ({ shape, dtype }: Node): Slot => ({ shape, dtype })

/** A parameter of another function has no value here: it would be read as one of these. */
const requireBound = (parameters: readonly Node[], outputs: readonly Node[]): void => {
  const bound = new Set(parameters)
  const escaped = reachable(outputs).find((node) => node.op === 'parameter' && !bound.has(node))
  if (escaped !== undefined)
    throw new TraceError(
      `a tensor is used that was made from an argument, ${escaped.dtype}${showShape(escaped.shape)}, while another function was traced, and has no value outside of it: return it from that function, and use what it returned`,
    )
}

/** Overwrites by buffers: that of an output, and that of the argument in whose place it is written. */
const overwrittenBuffers = (
  overwrites: ReadonlyMap<number, number>,
  buffers: readonly Buffer[],
): ReadonlyMap<number, number> => {
  const found = { argument: new Map<number, number>(), output: new Map<number, number>() }
  buffers.forEach(({ placement }, buffer) => {
    if (placement.kind === 'argument' || placement.kind === 'output') found[placement.kind].set(placement.index, buffer)
  })
  return new Map(
    [...overwrites].flatMap(([output, argument]) => {
      const [written, over] = [found.output.get(output), found.argument.get(argument)]
      return written === undefined || over === undefined ? [] : [[written, over] as const]
    }),
  )
}

/** What is compiled: the parameters, and the nodes that are computed from them. */
export interface Graph {
  readonly parameters: readonly NodeOf<'parameter'>[]
  readonly outputs: readonly Node[]
}

/** How it is compiled. */
export interface CompileOptions {
  /** All unless told otherwise. */
  readonly passes?: Passes
  /** What the backend asks of kernels. */
  readonly limits?: Limits
  /** What the backend computes with. */
  readonly dtypes?: readonly DType[]
  /** Parameters whose memory outputs may take over. */
  readonly donated?: ReadonlySet<number>
}

/**
 * Compiles a graph.
 *
 * @throws TraceError where the graph needs a parameter that is not its own
 * @throws DTypeError where it needs a dtype that the backend does not have
 */
export const compile = (
  graph: Graph,
  { passes = allPasses, limits = usualLimits, dtypes = allDTypes, donated = new Set() }: CompileOptions = {},
): Plan => {
  requireBound(graph.parameters, graph.outputs)
  requireDTypes(graph, dtypes)
  const program = canonicalise(graph.parameters, graph.outputs, passes)
  const fusion = passes.fuse ? fuse(program, passes, limits) : keepApart(program)
  const lowered = lower(program, fusion, limits, (turn, over) =>
    compile(turn, { passes, limits, dtypes, donated: over }),
  )
  const timeline = timelineOf(lowered.kernels, lowered.buffers)
  if (passes.epilogue) appendEpilogues(timeline, limits)
  if (passes.join) joinKernels(timeline, limits)
  if (passes.rows) mergeRows(timeline, limits)
  const overwrites = overwritesOf(timeline, donated)
  if (passes.group) groupKernels(timeline, limits, overwrittenBuffers(overwrites, lowered.buffers))
  const { buffers: placed, arenaBytes } = place(timeline, passes.reuse)
  const { buffers, literalBytes } = placeLiterals(placed)
  return {
    program,
    arguments: program.parameters.map(slot),
    outputs: program.outputs.map(slot),
    buffers,
    kernels: inOrder(timeline),
    arenaBytes,
    literalBytes,
    overwrites,
  }
}
