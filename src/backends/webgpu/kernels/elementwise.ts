/** Elementwise kernels: an invocation for each element, or for those that lie in one word. */
import { at } from '../../../prelude/array.ts'
import { resultsOf, type ElementwiseKernel } from '../../../compiler/kernel.ts'
import { alone, type Generated } from '../phase.ts'
import { addresses, writeBody } from '../wgsl/body.ts'
import { outputOf } from '../wgsl/value.ts'
import { lanesOf, overElements } from './lanes.ts'

/** out[i] = body(i), and further results. */
export const elementwise = (kernel: ElementwiseKernel): Generated => {
  const { body, further = [] } = kernel
  const results = resultsOf(kernel)
  const which = [...further.map((r) => r.instruction), body.instructions.length - 1]
  return alone(
    overElements(
      body.size,
      lanesOf(results.map((r) => r.dtype)),
      (shader) => {
        const addressOf = addresses(shader)
        return { addressOf, outputs: results.map((r) => outputOf(shader, addressOf(r), r.dtype)) }
      },
      (shader, element, { addressOf, outputs }) => {
        const values = writeBody(shader, body, element, { addressOf })
        outputs.forEach(({ store }, r) => {
          store(element, at(values, at(which, r)))
        })
      },
    ),
  )
}
