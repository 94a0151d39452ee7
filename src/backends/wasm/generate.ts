/** Kernel IR to code: one switch over its kinds. What has no vector code runs one element at a time; nothing runs in TypeScript. */
import { epilogueKernel, type Contraction } from '../../compiler/epilogue.ts'
import { separated } from '../../compiler/join.ts'
import type { ElementwiseKernel, Kernel } from '../../compiler/kernel.ts'
import { conv } from './conv.ts'
import { elementwise } from './elementwise.ts'
import { gemm } from './gemm.ts'
import type { Generated, Machine, Phase } from './kernelCode.ts'
import { copy, place } from './place.ts'
import { gather } from './gather.ts'
import { scalarElementwise, scalarReduce } from './scalar.ts'
import { scalarConv } from './scalarConv.ts'
import { scalarGemm } from './scalarGemm.ts'
import { scatter } from './scatter.ts'
import { sort } from './sort.ts'

const single = (phase: Phase): Generated => ({ phases: [phase], scratch: 0 })

const nothing: Generated = { phases: [], scratch: 0 }

const or = (vector: Generated | Phase | string, scalar: () => Phase): Generated => {
  if (typeof vector === 'string') return single(scalar())
  return 'phases' in vector ? vector : single(vector)
}

/** One after the other, over the same scratch memory. */
const inTurn = (parts: readonly Generated[]): Generated => ({
  phases: parts.flatMap((p) => p.phases),
  scratch: Math.max(0, ...parts.map((p) => p.scratch)),
})

/** Several results are written one after the other. */
const bodyCode = (kernel: ElementwiseKernel): Generated =>
  kernel.body.size === 0
    ? nothing
    : inTurn(separated(kernel).map((k) => or(copy(k) ?? elementwise(k), () => scalarElementwise(k))))

/** The contraction, and then its epilogue in place. */
const contraction = (kernel: Contraction, machine: Machine): Generated => {
  const code =
    kernel.kind === 'gemm'
      ? or(gemm(kernel, machine), () => scalarGemm(kernel))
      : or(conv(kernel, machine), () => scalarConv(kernel))
  const epilogue = epilogueKernel(kernel)
  return epilogue === undefined ? code : inTurn([code, bodyCode(epilogue)])
}

/** The kernel as code for this machine. */
export const generate = (kernel: Kernel, machine: Machine): Generated => {
  switch (kernel.kind) {
    case 'elementwise':
      return bodyCode(kernel)
    case 'reduce':
      return single(scalarReduce(kernel))
    case 'gemm':
    case 'conv':
      return contraction(kernel, machine)
    case 'place':
      return place(kernel)
    case 'gather':
      return single(gather(kernel))
    case 'scatter':
      return scatter(kernel)
    case 'sort':
      return sort(kernel)
  }
}
