/**
 * The evaluator of fused bodies: block by block, each instruction is one loop over a register of {@link blockSize} elements.
 *
 * No code is generated. Values that a kernel computes and uses itself stay in registers and never reach memory.
 */
import type { DType, TypedArray } from '../../graph/dtype.ts'
import { at } from '../../prelude/array.ts'
import type { Body, Instruction } from '../../compiler/kernel.ts'
import { isContiguous } from '../../compiler/view.ts'
import { blockSize, loopFor, type Lanes, type Run } from './lanes.ts'
import { load } from './store.ts'
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

/** A step of a block: fills its register, or points its run into memory. */
type Step = (start: number, n: number) => void

/** The array as numbers: halves are decoded into a copy. */
const asNumbers = (array: TypedArray): Lanes => (array instanceof Uint16Array ? Float32Array.from(array, (_, i) => load(array, i)) : array)

/** How a plan's buffer is found when the plan runs. */
export type BufferOf = (buffer: number) => TypedArray

const loadStep = (i: Extract<Instruction, { kind: 'load' }>, run: Run, bufferOf: BufferOf): Step => {
  const w = walker(i.from.view)
  const dense = isContiguous(i.from.view)
  return (start, n) => {
    const source = asNumbers(bufferOf(i.from.buffer))
    if (dense) {
      run.array = source
      run.start = i.from.view.offset + start
    } else loadRun(run.array, source, w, start, n)
  }
}

const none: Run = { array: new Float32Array(blockSize), start: 0 }

const stepFor = (instruction: Instruction, run: Run, runs: readonly Run[], dtypes: readonly DType[], bufferOf: BufferOf): Step => {
  switch (instruction.kind) {
    case 'load':
      return loadStep(instruction, run, bufferOf)
    case 'literal': {
      run.array.fill(instruction.value)
      return () => undefined
    }
    case 'index': {
      const w = walker(instruction.view)
      return (start, n) => {
        loadAddresses(run.array, w, start, n)
      }
    }
    case 'apply': {
      const [a, b, c] = instruction.inputs
      const [x, y, z] = [a, b, c].map((i) => (i === undefined ? none : at(runs, i))) as [Run, Run, Run]
      const loop = loopFor(instruction.op, at(dtypes, a ?? 0), instruction.dtype)
      return (_, n) => {
        loop(run.array, 0, x, y, z, n)
      }
    }
  }
}

/** Prepares a body; the evaluator reads the plan's buffers anew at every block. */
export const evaluator = (body: Body, bufferOf: BufferOf): Evaluator => {
  const length = Math.min(blockSize, Math.max(1, body.size))
  const dtypes = body.instructions.map((i) => i.dtype)
  const runs: readonly Run[] = body.instructions.map((i) => ({ array: registers[i.dtype](length), start: 0 }))
  const steps = body.instructions.map((i, k) => stepFor(i, at(runs, k), runs, dtypes, bufferOf))
  const result = at(runs, runs.length - 1)
  return (start, n) => {
    for (const step of steps) step(start, n)
    return result
  }
}
