/**
 * Which form of a contraction is the fastest on this GPU is measured, not guessed: caches, registers and drivers differ, and no table knows them all. A
 * class of contractions is measured when a plan first has it: each form computes random numbers, is compared with one result an invocation, and timed
 * by the GPU's own clock. What was found is kept for the next program, and with a run, so that it goes on with the same bits.
 */
import { at, product } from '../../prelude/array.ts'
import { bytesPerElement, viewAs } from '../../graph/dtype.ts'
import { decodeHalf } from '../../graph/half.ts'
import { withoutEpilogue } from '../../compiler/epilogue.ts'
import { operandsOf, type Member, type Routine } from '../../compiler/kernel.ts'
import type { Buffer } from '../../compiler/buffer.ts'
import type { Plan } from '../../compiler/plan.ts'
import { inForm, tilesOf } from './contraction/contract.ts'
import { extentsOf, type TileContraction } from './contraction/axes.ts'
import { formsOf, nameOfForm, shapeClassOf, type Form } from './contraction/forms.ts'
import { plainConv, plainGemm } from './contraction/plain.ts'
import type { Contracting } from './contraction/walk.ts'
import type { Executable } from '../backend.ts'
import type { GpuMemory } from './memory.ts'
import { alone, type Generated } from './phase.ts'
import type { Target } from './target.ts'

/** Names of forms by classes of contractions. */
export type Forms = Record<string, string>

/** What a measurement runs on. */
export interface Bench {
  readonly allocate: (bytes: number) => GpuMemory
  readonly release: (memory: GpuMemory) => void
  readonly write: (memory: GpuMemory, bytes: Uint8Array<ArrayBuffer>) => void
  readonly read: (memory: GpuMemory) => Promise<Uint8Array>
  /** A program of a plan's one kernel. */
  readonly program: (plan: Plan, code: Generated) => Executable<GpuMemory>
}

/** The memory of a plan's arguments and of its output. */
export interface Memories {
  readonly inputs: readonly GpuMemory[]
  readonly output: GpuMemory
}

/** A class that is to be measured, by one of its contractions. */
export interface Subject {
  /** Whose buffers the contraction names. */
  readonly routine: Pick<Routine, 'buffers'>
  readonly shapeClass: string
  readonly kernel: Contracting
  readonly contraction: TileContraction
}

/** Measurements of each form. */
const runs = 3

/** A contraction, in the plan or the body of a loop whose buffers it names. */
interface Found {
  readonly routine: Pick<Routine, 'buffers'>
  readonly kernel: Contracting
}

const contractionsOf = (routine: Routine): readonly Found[] =>
  routine.kernels.flatMap((kernel): readonly Found[] => {
    if (kernel.kind === 'loop') return contractionsOf(kernel.body)
    const members: readonly Member[] = kernel.kind === 'group' ? kernel.members : [kernel]
    return members.flatMap((m) => (m.kind === 'gemm' || m.kind === 'conv' ? [{ routine, kernel: m }] : []))
  })

/** The classes of a plan that nothing is known of. */
export const subjectsOf = (plan: Plan, target: Target, known: Forms): readonly Subject[] => {
  const found = new Map<string, Subject>()
  for (const { routine, kernel } of contractionsOf(plan))
    for (const contraction of tilesOf(kernel)) {
      const shapeClass = shapeClassOf(kernel, contraction)
      const forms = formsOf(contraction, target).map(nameOfForm)
      // A form of another version counts as unknown.
      const isNew = !forms.includes(known[shapeClass] ?? '') && !found.has(shapeClass)
      if (isNew && product(Object.values(extentsOf(contraction))) > 0 && forms.length > 1)
        found.set(shapeClass, { shapeClass, routine, kernel, contraction })
    }
  return [...found.values()]
}

/** A plan of one contraction, without its epilogue: its operands are arguments. */
export const bareContraction = (
  plan: Plan,
  given: Contracting,
): { readonly plan: Plan; readonly kernel: Contracting } => {
  const bare: Contracting = given.kind === 'gemm' ? withoutEpilogue(given) : withoutEpilogue(given)
  const operands = [...new Set(operandsOf(bare).map(({ buffer }) => buffer))]
  const buffers = [...operands, bare.output].map((b, i): Buffer => {
    const { dtype, length } = at(plan.buffers, b)
    return {
      dtype,
      length,
      placement: i < operands.length ? { kind: 'argument', index: i } : { kind: 'output', index: 0 },
    }
  })
  const moved = <O extends { readonly buffer: number }>(o: O): O => ({ ...o, buffer: operands.indexOf(o.buffer) })
  const output = operands.length
  const kernel: Contracting =
    bare.kind === 'gemm'
      ? { ...bare, x: moved(bare.x), y: moved(bare.y), output }
      : { ...bare, x: moved(bare.x), filter: moved(bare.filter), output }
  const slotOf = ({
    dtype,
    length,
  }: Buffer): { readonly dtype: Buffer['dtype']; readonly shape: readonly number[] } => ({ dtype, shape: [length] })
  return {
    kernel,
    plan: {
      ...plan,
      arguments: buffers.slice(0, output).map(slotOf),
      outputs: buffers.slice(output).map(slotOf),
      buffers,
      kernels: [kernel],
      arenaBytes: 0,
      literalBytes: 0,
      overwrites: new Map(),
    },
  }
}

const bytesOf = ({ dtype, length }: Buffer): number => length * bytesPerElement[dtype]

/** Numbers between −1 and 1, in the dtype of a buffer: a linear congruence, for they need only differ. */
export const noise = ({ dtype, length }: Buffer): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(Math.ceil((length * bytesPerElement[dtype]) / 4) * 4)
  const [floats, halves] = [new Float32Array(bytes.buffer), new Uint16Array(bytes.buffer)]
  let state = 12345
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    if (dtype === 'f16') halves[i] = 0x2c00 | ((state >>> 16) & 0x83ff) // ±1/16 … ±1/8
    else floats[i] = state / 2 ** 31 - 1
  }
  return bytes
}

/** An output full of NaN: what was not written shows. */
export const unwritten = (buffer: Buffer): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(Math.ceil(bytesOf(buffer) / 4) * 4)
  if (buffer.dtype === 'f16') new Uint16Array(bytes.buffer).fill(0x7e00)
  else new Uint32Array(bytes.buffer).fill(0x7fc00000)
  return bytes
}

/** What a buffer holds, as numbers. */
export const numbersOf = ({ dtype, length }: Buffer, bytes: Uint8Array): ArrayLike<number> => {
  const values = viewAs(dtype, bytes.buffer, bytes.byteOffset, length)
  return values instanceof Uint16Array ? Float32Array.from(values, decodeHalf) : values
}

/** The largest difference of `count` results from what was expected, as a part of the largest; ∞ where another number of them was written. */
export const largestDifference = (got: ArrayLike<number>, expected: ArrayLike<number>, count: number): number => {
  let [written, scale, worst] = [0, 0, 0]
  for (let i = 0; i < expected.length; i++) {
    scale = Math.max(scale, Math.abs(expected[i] ?? 0))
    const value = got[i] ?? NaN
    if (Number.isNaN(value)) continue
    written++
    const difference = Math.abs(value - (expected[i] ?? NaN))
    worst = difference >= 0 ? Math.max(worst, difference) : Infinity // it may be NaN
  }
  return written !== count ? Infinity : worst === 0 ? 0 : worst / scale
}

/** How far results may be from the plain form's, as a part of the largest. @param depth terms of a sum */
export const toleranceOf = (dtype: Buffer['dtype'], depth: number): number =>
  dtype === 'f16' ? 2 ** -9 : 2 ** -20 * Math.sqrt(depth)

/** Runs a program so many times: the milliseconds of the fastest. */
export const timeOf = async (
  { profile }: Executable<GpuMemory>,
  { inputs, output }: Memories,
  runs: number,
): Promise<number> => {
  let best = Infinity
  for (let i = 0; i < runs; i++) {
    const [milliseconds = Infinity] = (await profile?.(inputs, [output])) ?? []
    best = Math.min(best, milliseconds)
  }
  return best
}

/** A form with its program. */
interface Candidate {
  readonly form: Form
  readonly program: Executable<GpuMemory>
}

/** The fastest of the candidates whose results are those of the reference; undefined where none has them. */
const fastestOf = async (
  candidates: readonly Candidate[],
  isRight: (candidate: Candidate) => Promise<boolean>,
  memories: Memories,
): Promise<Form | undefined> => {
  let best: { readonly form: Form; readonly time: number } | undefined
  for (const candidate of candidates) {
    if (!(await isRight(candidate))) continue
    const time = await timeOf(candidate.program, memories, runs)
    if (best === undefined || time < best.time) best = { form: candidate.form, time }
  }
  return best?.form
}

/** Measures the forms of a class. @returns the name of the fastest of those that are right */
const fastest = async (
  given: Plan,
  { routine, kernel: original, contraction, shapeClass }: Subject,
  target: Target,
  bench: Bench,
): Promise<string> => {
  const { plan, kernel } = bareContraction({ ...given, buffers: routine.buffers }, original)
  const output = at(plan.buffers, plan.buffers.length - 1)
  const taken: GpuMemory[] = []
  const programs: Executable<GpuMemory>[] = []
  const allocate = (bytes: number): GpuMemory => {
    const memory = bench.allocate(bytes)
    taken.push(memory)
    return memory
  }
  const programOf = (code: Generated): Executable<GpuMemory> => {
    const program = bench.program(plan, code)
    programs.push(program)
    return program
  }
  try {
    const memories: Memories = {
      inputs: plan.arguments.map((_, i) => allocate(bytesOf(at(plan.buffers, i)))),
      output: allocate(bytesOf(output)),
    }
    const reference = programOf(alone(kernel.kind === 'gemm' ? plainGemm(kernel) : plainConv(kernel)))
    const candidates = formsOf(contraction, target).map((form): Candidate => ({
      form,
      program: programOf(inForm(kernel, contraction, form)),
    }))
    await Promise.all(programs.map(async ({ ready }) => ready)) // drivers compile side by side
    memories.inputs.forEach((memory, i) => {
      bench.write(memory, noise(at(plan.buffers, i)))
    })
    const resultsOf = async ({ run }: Executable<GpuMemory>): Promise<ArrayLike<number>> => {
      bench.write(memories.output, unwritten(output))
      run(memories.inputs, [memories.output])
      return numbersOf(output, await bench.read(memories.output))
    }
    const expected = await resultsOf(reference)
    const { batch, rows, columns, depth } = extentsOf(contraction)
    const tolerance = toleranceOf(output.dtype, depth)
    const isRight = async ({ program }: Candidate): Promise<boolean> =>
      largestDifference(await resultsOf(program), expected, batch * rows * columns) <= tolerance
    const form = await fastestOf(candidates, isRight, memories)
    if (form === undefined)
      throw new Error(
        `webgpu: no form of ${shapeClass} computes what it should on this GPU: run fathom doctor, and use --device wasm`,
      )
    return nameOfForm(form)
  } finally {
    for (const { release } of programs) release()
    for (const memory of taken) bench.release(memory)
  }
}

/** Measures what is not known of a plan. @param note called with each class that was measured */
export const learn = async (
  plan: Plan,
  target: Target,
  bench: Bench,
  { known, note }: { readonly known: Forms; readonly note: (shapeClass: string, form: string) => void },
): Promise<void> => {
  for (const subject of subjectsOf(plan, target, known))
    note(subject.shapeClass, await fastest(plan, subject, target, bench))
}
