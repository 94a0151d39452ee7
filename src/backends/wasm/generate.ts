/** Kernel IR to code: one switch over its kinds. What has no vector code runs one element at a time; nothing runs in TypeScript. */
import { epilogueKernel, withoutEpilogue, type ContractionKernel } from '../../compiler/epilogue.ts'
import { separated } from '../../compiler/join.ts'
import type { ElementwiseKernel, Kernel, RowsKernel } from '../../compiler/kernel.ts'
import { E, pipe } from '../../prelude/fp.ts'
import { conv } from './conv/conv.ts'
import { elementwise } from './elementwise/elementwise.ts'
import { gemm } from './gemm/gemm.ts'
import { isOfHalves, ofHalves } from './gemm/halves.ts'
import type { Generated, Machine, Phase } from './emit/kernelCode.ts'
import { showUnsupported, type Unsupported } from './emit/unsupported.ts'
import { copy, place } from './move/place.ts'
import { cumsum } from './move/cumsum.ts'
import { gather } from './move/gather.ts'
import { group } from './launch/group.ts'
import { looped } from './launch/loop.ts'
import { rows } from './launch/rows.ts'
import { reduce } from './reduce/reduce.ts'
import { scalarElementwise, scalarReduce } from './scalar/scalar.ts'
import { scalarConv } from './scalar/scalarConv.ts'
import { scalarGemm } from './scalar/scalarGemm.ts'
import { scatter } from './move/scatter.ts'
import { sort } from './move/sort.ts'
import { winograd } from './conv/winograd.ts'

const single = (phase: Phase): Generated => ({ phases: [phase], scratch: 0 })

const nothing: Generated = { phases: [], scratch: 0 }

/** Code for one element at a time, in the place of vector code. */
const insteadOf = (why: Unsupported, scalar: Phase): Generated => ({
  ...single(scalar),
  choices: { code: `one element at a time (${showUnsupported(why)})` },
})

/** The vector code, or, where there is none, that for one element at a time. */
const or = (vector: E.Either<Unsupported, Generated>, scalar: () => Phase): Generated =>
  pipe(
    vector,
    E.getOrElse((why) => insteadOf(why, scalar())),
  )

/** One after the other, over the same scratch memory. */
const inTurn = (parts: readonly Generated[]): Generated => ({
  phases: parts.flatMap((p) => p.phases),
  scratch: Math.max(0, ...parts.map((p) => p.scratch)),
  choices: Object.assign({}, ...parts.map((p) => p.choices)),
})

/** Where several results have no vector code together, they are written one after the other. */
const bodyCode = (kernel: ElementwiseKernel): Generated => {
  if (kernel.body.size === 0) return nothing
  const copied = copy(kernel)
  if (copied !== undefined) return single(copied)
  const together = elementwise(kernel)
  if (E.isRight(together)) return together.right
  return inTurn(separated(kernel).map((k) => or(elementwise(k), () => scalarElementwise(k))))
}

/** What is said of an epilogue that has no code inside of its contraction's. */
const epilogueApart: Generated = { ...nothing, choices: { epilogue: 'a pass of its own' } }

/** The contraction with its epilogue, or, where one of them has no code for that, one after the other. */
const contraction = (kernel: ContractionKernel, machine: Machine): Generated => {
  if (isOfHalves(kernel)) return ofHalves(kernel, (wide) => contraction(wide, machine))
  const whole = kernel.kind === 'gemm' ? gemm(kernel, machine) : (winograd(kernel, machine) ?? conv(kernel, machine))
  if (E.isRight(whole)) return whole.right
  const epilogue = epilogueKernel(kernel)
  const alone = kernel.kind === 'gemm' ? withoutEpilogue(kernel) : withoutEpilogue(kernel)
  if (epilogue !== undefined) return inTurn([contraction(alone, machine), bodyCode(epilogue), epilogueApart])
  return insteadOf(whole.left, kernel.kind === 'gemm' ? scalarGemm(kernel) : scalarConv(kernel))
}

/** What is said of stages that threads do not share row by row. */
const stagesApart: Generated = { ...nothing, choices: { stages: 'one after the other' } }

const rowsCode = (kernel: RowsKernel, machine: Machine): Generated => {
  const together = rows(kernel)
  if (together === undefined) return inTurn([...kernel.stages.map((stage) => generate(stage, machine)), stagesApart])
  return { ...single(together), choices: { 'row units': together.units } }
}

/** The kernel as code for this machine. */
export const generate = (kernel: Kernel, machine: Machine): Generated => {
  switch (kernel.kind) {
    case 'elementwise':
      return bodyCode(kernel)
    case 'reduce':
      return or(reduce(kernel), () => scalarReduce(kernel))
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
    case 'cumsum':
      return single(cumsum(kernel))
    case 'rows':
      return rowsCode(kernel, machine)
    case 'group':
      return group(kernel.members.map((member) => generate(member, machine)))
    case 'loop':
      return looped(kernel.body.kernels.map((inner) => generate(inner, machine)))
  }
}
