/** Kernel IR to code: one switch over its kinds. What has no vector code runs one element at a time; nothing runs in TypeScript. */
import type { Kernel } from '../../compiler/kernel.ts'
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

/** The kernel as code for this machine. */
export const generate = (kernel: Kernel, machine: Machine): Generated => {
  switch (kernel.kind) {
    case 'elementwise':
      if (kernel.body.size === 0) return nothing
      return or(copy(kernel) ?? elementwise(kernel), () => scalarElementwise(kernel))
    case 'reduce':
      return single(scalarReduce(kernel))
    case 'gemm':
      return or(gemm(kernel, machine), () => scalarGemm(kernel))
    case 'conv':
      return or(conv(kernel, machine), () => scalarConv(kernel))
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
