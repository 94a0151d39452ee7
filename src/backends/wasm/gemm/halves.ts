/**
 * Contractions of halves that give f32: both operands are widened once, into scratch memory, and the vector code multiplies what lies there. Loads
 * of halves have no lanes, and an element is read by many tiles.
 */
import { product } from '../../../prelude/array.ts'
import type { ContractionKernel } from '../../../compiler/epilogue.ts'
import type { Body, Operand } from '../../../compiler/kernel.ts'
import { contiguous } from '../../../compiler/view.ts'
import { inScratch, relocated, type Parameter } from '../emit/block.ts'
import type { Generated, Phase } from '../emit/kernelCode.ts'
import { scalarInto } from '../scalar/scalar.ts'

/** Numbers in the place of buffers for what is widened: no plan has them. */
const [left, right] = [-1, -2]

/** Regions of scratch memory begin at multiples of this, as buffers do. */
const alignment = 256

const operandsOf = (kernel: ContractionKernel): readonly [x: Operand, y: Operand] =>
  kernel.kind === 'gemm' ? [kernel.x, kernel.y] : [kernel.x, kernel.filter]

const withOperands = (kernel: ContractionKernel, x: Operand, y: Operand): ContractionKernel =>
  kernel.kind === 'gemm' ? { ...kernel, x, y } : { ...kernel, x, filter: y }

/** The elements of a view one behind the other, as f32. */
const widened = ({ view: { shape } }: Operand, buffer: number): Operand => ({
  buffer,
  view: contiguous(shape),
  dtype: 'f32',
})

const widening = (from: Operand): Body => ({
  size: product(from.view.shape),
  instructions: [
    { kind: 'load', from, dtype: 'f16' },
    { kind: 'apply', op: 'cast', inputs: [0], dtype: 'f32' },
  ],
})

/** Whether it is such a contraction, of something. */
export const isOfHalves = (kernel: ContractionKernel): boolean =>
  kernel.dtype === 'f32' && operandsOf(kernel).every(({ dtype, view }) => dtype === 'f16' && product(view.shape) > 0)

/** The kernel as code. @param generate of the same contraction of f32 */
export const ofHalves = (kernel: ContractionKernel, generate: (kernel: ContractionKernel) => Generated): Generated => {
  const [x, y] = operandsOf(kernel)
  const [wideX, wideY] = [widened(x, left), widened(y, right)]
  const code = generate(withOperands(kernel, wideX, wideY))
  const room = (operand: Operand): number => Math.ceil((4 * product(operand.view.shape)) / alignment) * alignment
  const taken = room(x) + room(y)
  const place = (p: Parameter): Parameter => {
    if (typeof p === 'number') return p
    if (p.kind === 'scratch') return inScratch(taken + p.offset)
    return p.kind === 'buffer' && p.buffer < 0 ? inScratch((p.buffer === left ? 0 : room(x)) + p.offset) : p
  }
  const copies = [scalarInto(widening(x), 'f32', left, wideX.view), scalarInto(widening(y), 'f32', right, wideY.view)]
  return {
    phases: [...copies, ...code.phases].map((p): Phase => ({ ...p, parameters: relocated(p.parameters, place) })),
    scratch: taken + code.scratch,
    choices: { operands: 'widened', ...code.choices },
  }
}
