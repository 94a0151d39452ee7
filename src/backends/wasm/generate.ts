/** Kernel IR to code: one switch over its kinds. */
import type { Kernel } from '../../compiler/kernel.ts'
import { elementwise } from './elementwise.ts'
import type { Generated, Machine, Phase } from './kernelCode.ts'

const single = (phase: Phase | string): Generated | string =>
  typeof phase === 'string' ? phase : { phases: [phase], scratch: 0 }

/** The kernel as code for this machine, or, as text, why it runs in TypeScript. */
export const generate = (kernel: Kernel, _machine: Machine): Generated | string => {
  switch (kernel.kind) {
    case 'elementwise':
      return single(elementwise(kernel))
    case 'reduce':
    case 'gemm':
    case 'conv':
    case 'place':
    case 'gather':
    case 'scatter':
    case 'sort':
      return `${kernel.kind} has no code yet`
  }
}
