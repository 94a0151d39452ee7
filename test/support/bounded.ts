/** A backend as a GPU bounds it: cpu, but a kernel touches few memories, and there is no f64. It refuses plans that do not keep to that. */
import { cpuBackend } from '../../src/backends/cpu/backend.ts'
import type { Backend } from '../../src/backends/backend.ts'
import { allDTypes } from '../../src/compiler/dtypes.ts'
import { operandsOf, resultsOf, type Kernel } from '../../src/compiler/kernel.ts'
import { usualLimits } from '../../src/compiler/limits.ts'
import type { Plan } from '../../src/compiler/plan.ts'

/** How many pieces of memory a kernel touches; an output that may lie in an argument's place may also lie apart. */
export const memoriesOf = ({ buffers }: Plan, kernel: Kernel): number => {
  const touched = [...operandsOf(kernel), ...resultsOf(kernel)].map(({ buffer }) => buffers[buffer]?.placement)
  return new Set(
    touched.map((placement) =>
      placement?.kind === 'argument' || placement?.kind === 'output'
        ? `${placement.kind} ${placement.index}`
        : placement?.kind,
    ),
  ).size
}

/** Opens it. */
export const boundedBackend = (memories: number): Backend => {
  const backend = cpuBackend(true)
  return {
    ...backend,
    name: `cpu with ${memories} memories and no f64`,
    limits: { ...usualLimits, buffers: 64, memories },
    dtypes: allDTypes.filter((dtype) => dtype !== 'f64'),
    prepare: (plan) => {
      for (const kernel of plan.kernels)
        if (memoriesOf(plan, kernel) > memories)
          throw new Error(`${kernel.kind} ${kernel.computes} touches ${memoriesOf(plan, kernel)} memories`)
      if (plan.buffers.some(({ dtype }) => dtype === 'f64')) throw new Error('a buffer is f64')
      return backend.prepare(plan)
    },
  }
}
