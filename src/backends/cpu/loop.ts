/** Loops: the kernels of the body, over arrays that are other ones from turn to turn. */
import { at, range } from '../../prelude/array.ts'
import { viewAs, type DType, type TypedArray } from '../../graph/dtype.ts'
import type { Buffer } from '../../compiler/buffer.ts'
import type { Kernel, LoopKernel } from '../../compiler/kernel.ts'
import { placesOfTurn, type Begin } from '../../compiler/turn.ts'
import type { BufferOf } from './evaluate.ts'

/** Runs a prepared kernel. */
type Run = () => void

/** A loop made ready to run. @param prepare makes a kernel of the body ready */
export const loop = (
  kernel: LoopKernel,
  bufferOf: BufferOf,
  prepare: (kernel: Kernel, bufferOf: BufferOf) => Run,
): Run => {
  const { body, turns, workspace } = kernel
  const arrays: TypedArray[] = []
  const runs = body.kernels.map((k) => prepare(k, (buffer) => arrays[buffer] as TypedArray))
  const part = ({ buffer, bytes }: Begin, dtype: DType, length: number): TypedArray => {
    const whole = bufferOf(buffer)
    return viewAs(dtype, whole.buffer, whole.byteOffset + bytes, length)
  }
  const bind = (inputs: readonly Begin[], outputs: readonly Begin[]): void => {
    body.buffers.forEach(({ dtype, length, placement }: Buffer, i) => {
      if (placement.kind === 'argument') arrays[i] = part(at(inputs, placement.index), dtype, length)
      if (placement.kind === 'output') arrays[i] = part(at(outputs, placement.index), dtype, length)
    })
  }
  return () => {
    body.buffers.forEach(({ dtype, length, placement }, i) => {
      if (placement.kind === 'temporary')
        arrays[i] = part({ buffer: workspace.buffer, bytes: placement.offset }, dtype, length)
    })
    for (const turn of range(turns)) {
      const { inputs, outputs } = placesOfTurn(kernel, turn)
      bind(inputs, outputs)
      for (const run of runs) run()
    }
  }
}
