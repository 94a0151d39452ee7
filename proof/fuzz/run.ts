/**
 * The differential fuzzer: random programs, their values and their gradients, in every configuration and by every law, and the smallest
 * program that breaks one.
 */
import fc from 'fast-check'
import { isFloat } from '../../src/graph/dtype.ts'
import type { Node, OpName } from '../../src/graph/ops.ts'
import { reachable } from '../../src/graph/traverse.ts'
import type { Device } from '../../src/tensor/device.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { configurations, specification } from '../devices.ts'
import {
  agreement,
  asSubject,
  compared,
  differences,
  duality,
  evaluate,
  gradientOf,
  isSmooth,
  isUndefined,
  transparency,
  type Candidate,
  type Check,
  type Route,
  type Subject,
} from './checks.ts'
import { difference, type Output } from './compare.ts'
import { countGradients, countValues, none, type Appearances } from './coverage.ts'
import { primitivesOf, printTest } from './print.ts'
import { inputsOf, outputsOf, programs as arbitrary, type Program, type Steps, type Wrapper } from './program.ts'
import { shrinkGraph } from './shrink.ts'
import type { Mode } from './value.ts'

/** What to fuzz. */
export interface FuzzOptions {
  readonly seed: number
  /** How many programs. */
  readonly programs: number
  /** What is held to the specification; by default `proof/devices.ts`'s. */
  readonly configurations?: readonly Candidate[]
  /** The least and the greatest number of steps; by default 8 and 40, which makes 10 to 150 nodes. */
  readonly steps?: readonly [min: number, max: number]
  /** Kinds of programs; by default all but `whole`, in which no gradient flows. */
  readonly modes?: readonly Mode[]
  /** Failures after which it ends; by default 3. */
  readonly failures?: number
  readonly onProgress?: (done: number, of: number) => void
}

/** A program that broke a law, made small. */
export interface Failure {
  readonly check: string
  readonly message: string
  /** The primitives of the smallest graph. */
  readonly primitives: readonly OpName[]
  /** A test that can be pasted. */
  readonly code: string
  /** With these fast-check makes the program again. */
  readonly seed: number
  readonly path: string
}

/** What was compared; the counts are of programs that hold every law. */
export interface FuzzReport {
  readonly seed: number
  readonly programs: number
  readonly steps: Steps
  /** Nodes of the programs, without their gradients. */
  readonly nodes: number
  /** Results compared with the specification's, over all configurations. */
  readonly values: number
  /** Gradients compared with the specification's, over all configurations. */
  readonly gradients: number
  /** Programs by law. */
  readonly laws: {
    readonly agreement: number
    readonly transparency: number
    readonly duality: number
    readonly differences: number
  }
  /** Disagreements that a convolution of an infinity excuses. */
  readonly excused: number
  readonly inValues: Appearances
  readonly inGradients: Appearances
  readonly failures: readonly Failure[]
}

type Counts = { -readonly [K in keyof FuzzReport]: FuzzReport[K] extends number ? number : FuzzReport[K] }

/** A law that a graph breaks. */
class Broken extends Error {
  readonly check: Check
  readonly graph: readonly Node[]

  constructor(check: Check, graph: readonly Node[], message: string) {
    super(`${check.name}: ${message}`)
    this.check = check
    this.graph = graph
  }
}

const nodesOf = (xs: readonly Tensor[]): readonly Node[] => xs.map((x) => x.node)

/** What is compared of one program: its outputs, and its gradients without and with a part of it wrapped. */
interface Results {
  readonly outputs: readonly Tensor[]
  readonly gradients: readonly Tensor[]
  readonly wrapped: readonly Tensor[]
}

const wrapperOf = ({ wrapped }: Program): Wrapper => (wrapped.from % 2 === 0 ? 'call' : 'checkpoint')

const functionOf =
  (program: Program, wrapper: Wrapper): Subject =>
  (...xs) =>
    outputsOf(program, xs, wrapper)

const resultsOf = (program: Program, inputs: readonly Tensor[], steps: Steps): Results => ({
  outputs: outputsOf(program, inputs, 'nothing', steps),
  gradients: gradientOf(functionOf(program, 'nothing'))(...inputs),
  wrapped: gradientOf(functionOf(program, wrapperOf(program)))(...inputs),
})

/** Devices that live for a batch: plans stay with the device that made them. */
interface Opened {
  readonly candidate: Candidate
  readonly device: Device
}

const openAll = (candidates: readonly Candidate[]): readonly Opened[] =>
  [specification, ...candidates].map((candidate) => ({ candidate, device: candidate.open() }))

/** All compile the program, the specification being what they are held to; the one whose turn it is realizes it too. */
const routesOf = (each: Opened, turn: Opened): readonly Route[] => [
  ...(each.candidate === specification ? [] : (['compile'] as const)),
  ...(each === turn ? (['realize'] as const) : []),
]

const requireLaw = async (check: Check, f: Subject, inputs: readonly Tensor[]): Promise<void> => {
  const found = await check.run(f, inputs)
  if (found !== undefined) throw new Broken(check, nodesOf(f(...inputs)), found)
}

/** All configurations against the specification: by compiling, and one in turn by realizing. */
const requireAgreement = async (
  opened: readonly Opened[],
  { outputs, gradients, wrapped }: Results,
  expected: readonly Output[],
  counts: Counts,
): Promise<void> => {
  const graph = nodesOf([...outputs, ...gradients, ...wrapped])
  const { f, inputs } = asSubject(graph)
  const turn = opened[counts.programs % opened.length] as Opened
  for (const each of opened)
    for (const route of routesOf(each, turn)) {
      const { candidate, device } = each
      const found = await compared(candidate, device, route, f, inputs, expected)
      if (found !== undefined) {
        if (!(await isUndefined(graph))) throw new Broken(agreement(candidate, route), graph, found)
        counts.excused++
      }
      counts.values += outputs.length
      counts.gradients += gradients.length + wrapped.length
    }
}

/** Throws {@link Broken} with the first law that the program breaks; else counts it. */
const examine = async (program: Program, opened: readonly Opened[], counts: Counts): Promise<void> => {
  const inputs = inputsOf(program)
  const results = resultsOf(program, inputs, counts.steps)
  const { outputs, gradients, wrapped } = results
  const { f, inputs: data } = asSubject(nodesOf([...outputs, ...gradients, ...wrapped]))
  const expected = await evaluate(specification.open(), 'compile', f, data)
  await requireAgreement(opened, results, expected, counts)
  const [n, m] = [outputs.length, outputs.length + gradients.length]
  const opaque = difference(expected.slice(m), expected.slice(n, m))
  const whole = functionOf(program, wrapperOf(program))
  if (opaque !== undefined) throw new Broken(transparency, nodesOf(whole(...inputs)), opaque)
  const laws = { ...counts.laws, agreement: counts.laws.agreement + 1, transparency: counts.laws.transparency + 1 }
  if (program.mode === 'double' || program.mode === 'smooth') {
    await requireLaw(duality, whole, inputs)
    laws.duality++
  }
  if (program.mode === 'smooth' && isSmooth(outputs)) {
    await requireLaw(differences, whole, inputs)
    laws.differences++
  }
  counts.laws = laws
  counts.programs++
  counts.nodes += reachable(nodesOf(outputs)).length
  countValues(nodesOf(outputs), counts.inValues)
  countGradients(nodesOf(outputs), nodesOf(inputs.filter((x) => isFloat(x.dtype))), counts.inGradients)
}

/** The failure made small and printed; as it is, when it is not seen again on fresh devices. */
const reduced = async (broken: Broken, seed: number, path: string): Promise<Failure> => {
  const { check, graph } = broken
  const fails = async (outputs: readonly Node[]): Promise<boolean> => {
    const { f, inputs } = asSubject(outputs)
    return (await check.run(f, inputs)) !== undefined
  }
  const { outputs } = await shrinkGraph(graph, fails).catch(() => ({ outputs: graph }))
  const { f, inputs } = asSubject(outputs)
  const message = (await check.run(f, inputs)) ?? `${broken.message}, after other programs on the same device only`
  return { check: check.name, message, primitives: primitivesOf(outputs), code: printTest(outputs, check), seed, path }
}

const batchSize = 50

/** One batch of programs on fresh devices; the failure, if there is one. */
const runBatch = async (
  options: FuzzOptions,
  seed: number,
  numRuns: number,
  counts: Counts,
): Promise<Failure | undefined> => {
  const { steps: [min, max] = [8, 40], configurations: candidates = configurations } = options
  const opened = openAll(candidates)
  const broken: Broken[] = []
  const property = fc.asyncProperty(arbitrary(min, max, options.modes), async (program) => {
    try {
      await examine(program, opened, counts)
    } catch (e) {
      if (e instanceof Broken) broken.push(e)
      throw e
    }
  })
  const details = await fc.check(property, { seed, numRuns, endOnFailure: true })
  await Promise.all(opened.map(async ({ device }) => device.close()))
  if (!details.failed) return undefined
  const [last] = broken // the graph is cut down below; fast-check would run hundreds of programs to the same end
  if (last === undefined) throw details.errorInstance
  return reduced(last, seed, details.counterexamplePath ?? '')
}

/** Runs the fuzzer. */
export const fuzz = async (options: FuzzOptions): Promise<FuzzReport> => {
  const { seed, programs, failures: most = 3, onProgress } = options
  const failures: Failure[] = []
  const counts: Counts = {
    seed,
    programs: 0,
    steps: { taken: 0, replaced: 0 },
    nodes: 0,
    values: 0,
    gradients: 0,
    laws: { agreement: 0, transparency: 0, duality: 0, differences: 0 },
    excused: 0,
    inValues: none(),
    inGradients: none(),
    failures,
  }
  for (let done = 0; done < programs && failures.length < most; done += batchSize) {
    const failure = await runBatch(options, seed + done / batchSize, Math.min(batchSize, programs - done), counts)
    if (failure !== undefined) failures.push(failure)
    onProgress?.(Math.min(programs, done + batchSize), programs)
  }
  return counts
}

/** A failure as a person reads it: what broke, how to make the program again, and the code to paste. */
export const showFailure = ({ check, message, code, seed, path }: Failure): string =>
  `${check}: ${message}\nseed ${seed}, path ${path}\n\n${code}`
