/**
 * The evaluator of fused bodies: block by block, each instruction is one loop over a register of {@link blockSize} elements.
 *
 * No code is generated. Values that a kernel computes and uses itself stay in registers and never reach memory.
 */
import { roundTo, type DType, type TypedArray } from '../../graph/dtype.ts'
import { at } from '../../prelude/array.ts'
import type { Body, Instruction } from '../../compiler/kernel.ts'
import { isContiguous } from '../../compiler/view.ts'
import { blockSize, loopFor, type Lanes, type Run } from './lanes.ts'
import { asNumbers } from './store.ts'
import { loadAddresses, loadRun, walker } from './walk.ts'

/** Computes the body for elements `start … start + n`; the result is a run of n elements. */
export type Evaluator = (start: number, n: number) => Run

const registers: { readonly [K in DType]: (n: number) => Lanes } = {
  f16: (n) => new Float32Array(n),
  f32: (n) => new Float32Array(n),
  f64: (n) => new Float64Array(n),
  i32: (n) => new Int32Array(n),
  u32: (n) => new Uint32Array(n),
  u8: (n) => new Uint8Array(n),
  bool: (n) => new Uint8Array(n),
}

/** A step of a block: fills `out[o …]`, or, for a load that needs no copy, points the run into memory. */
type Step = (start: number, n: number, out: Lanes, o: number) => void

/** How a plan's buffer is found when the plan runs. */
export type BufferOf = (buffer: number) => TypedArray

/** A whole kernel: computes the body for all its elements into a buffer that is not f16. */
export type Filler = (out: Lanes) => void

/** What is done with the block of every instruction that is a further result, when it has been computed. */
export type Keep = (instruction: number, start: number, n: number, run: Run) => void

const none: Run = { array: new Float32Array(blockSize), start: 0 }

/** A load whose elements lie one behind the other needs no copy: its run points at them. */
const isDense = (instruction: Instruction): instruction is Extract<Instruction, { kind: 'load' }> =>
  instruction.kind === 'load' && isContiguous(instruction.from.view)

/** The buffer's numbers, looked up when a kernel begins with its first block: halves are decoded once a run. */
const sourceOf = (buffer: number, bufferOf: BufferOf): ((start: number) => Lanes) => {
  let source: Lanes = none.array
  return (start) => {
    if (start === 0) source = asNumbers(bufferOf(buffer))
    return source
  }
}

const point = ({ from }: Extract<Instruction, { kind: 'load' }>, run: Run, bufferOf: BufferOf): Step => {
  const source = sourceOf(from.buffer, bufferOf)
  return (start) => {
    run.array = source(start)
    run.start = from.view.offset + start
  }
}

const stepFor = (
  instruction: Instruction,
  runs: readonly Run[],
  dtypes: readonly DType[],
  bufferOf: BufferOf,
): Step => {
  switch (instruction.kind) {
    case 'load': {
      const w = walker(instruction.from.view)
      const source = sourceOf(instruction.from.buffer, bufferOf)
      return (start, n, out, o) => {
        loadRun(out, o, source(start), w, start, n)
      }
    }
    case 'literal':
      return (_, n, out, o) => {
        out.fill(instruction.value, o, o + n)
      }
    case 'index': {
      const w = walker(instruction.view)
      const isHalf = instruction.dtype === 'f16' // indices above 2048 are not all halves
      return (start, n, out, o) => {
        loadAddresses(out, o, w, start, n)
        if (isHalf) for (let k = o; k < o + n; k++) out[k] = roundTo.f16(out[k] as number)
      }
    }
    case 'apply': {
      const [a, b, c] = instruction.inputs
      const [x, y, z] = [a, b, c].map((i) => (i === undefined ? none : at(runs, i))) as [Run, Run, Run]
      const loop = loopFor(instruction.op, at(dtypes, a ?? 0), instruction.dtype)
      return (_, n, out, o) => {
        loop(out, o, x, y, z, n)
      }
    }
  }
}

/** The steps of a body but the last, run for one block into their registers. */
interface Prepared {
  readonly before: (start: number, n: number) => void
  readonly last: Step
  readonly result: Run
}

const prepare = (body: Body, bufferOf: BufferOf, kept: readonly number[] = [], keep?: Keep): Prepared => {
  const length = Math.min(blockSize, Math.max(1, body.size))
  const dtypes = body.instructions.map((i) => i.dtype)
  const runs: readonly Run[] = body.instructions.map((i) => ({
    array: isDense(i) ? none.array : registers[i.dtype](length),
    start: 0,
  }))
  const inner = body.instructions.slice(0, -1)
  const changing = inner.flatMap((i, k) =>
    i.kind === 'literal'
      ? []
      : [{ run: at(runs, k), step: isDense(i) ? point(i, at(runs, k), bufferOf) : stepFor(i, runs, dtypes, bufferOf) }],
  )
  inner.forEach((i, k) => {
    if (i.kind === 'literal') at(runs, k).array.fill(i.value) // once: nothing writes there again
  })
  const before = (start: number, n: number): void => {
    for (const { run, step } of changing) step(start, n, run.array, 0)
    if (keep !== undefined) for (const k of kept) keep(k, start, n, at(runs, k))
  }
  return {
    before,
    last: stepFor(at(body.instructions, inner.length), runs, dtypes, bufferOf),
    result: at(runs, inner.length),
  }
}

/** Prepares a body whose result is wanted block by block, and given those of `kept`; buffers are looked up anew when a run begins. */
export const evaluator = (body: Body, bufferOf: BufferOf, kept: readonly number[] = [], keep?: Keep): Evaluator => {
  const { before, last, result } = prepare(body, bufferOf, kept, keep)
  const instruction = at(body.instructions, body.instructions.length - 1)
  const final = isDense(instruction) ? point(instruction, result, bufferOf) : last
  return (start, n) => {
    before(start, n)
    final(start, n, result.array, 0)
    return result
  }
}

/** Prepares a body whose result is wanted in memory: the last step writes there itself. */
export const filler = (body: Body, bufferOf: BufferOf, kept: readonly number[] = [], keep?: Keep): Filler => {
  const { before, last } = prepare(body, bufferOf, kept, keep)
  return (out) => {
    for (let start = 0; start < body.size; start += blockSize) {
      const n = Math.min(blockSize, body.size - start)
      before(start, n)
      last(start, n, out, start)
    }
  }
}
