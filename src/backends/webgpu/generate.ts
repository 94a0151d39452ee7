/** From the kernel IR to shaders: one exhaustive switch. */
import { range } from '../../prelude/array.ts'
import type { KernelChoices } from '../../compiler/choices.ts'
import type { Kernel, Stage } from '../../compiler/kernel.ts'
import { conv, gemm } from './contraction/contract.ts'
import { cumsum } from './kernels/cumsum.ts'
import { elementwise } from './kernels/elementwise.ts'
import { gather, place } from './kernels/move.ts'
import { reduce } from './kernels/reduce.ts'
import { rowsAtOnce } from './kernels/rows.ts'
import { scatter } from './kernels/scatter.ts'
import { sort } from './kernels/sort.ts'
import { alone, type Generated, type Phase } from './phase.ts'
import type { Target } from './target.ts'
import type { Written } from './wgsl/shader.ts'

/** One after the other, each with the same scratch memory. */
const inTurn = (all: readonly Generated[]): Generated => ({
  stages: all.flatMap(({ stages }) => stages),
  scratch: Math.max(...all.map(({ scratch }) => scratch)),
})

/** The shader with its scratch memory so many bytes further on. */
const behindIn = (written: Written, bytes: number): Written => ({
  ...written,
  words: written.words.map((w) => (w.kind === 'scratch' ? { ...w, offset: w.offset + bytes } : w)),
})

/** What was chosen for every member alike. */
const agreedOf = ([first = {}, ...others]: readonly KernelChoices[]): KernelChoices =>
  Object.fromEntries(Object.entries(first).filter(([what, chosen]) => others.every((o) => o[what] === chosen)))

/** Side by side, each with scratch memory of its own: their first stages together, then their second ones. */
const sideBySide = (members: readonly Generated[]): Generated => {
  let scratch = 0
  const apart = members.map((member) => {
    const begin = scratch
    scratch += Math.ceil(member.scratch / 256) * 256
    const moved = (phase: Phase): Phase => ({ ...phase, written: behindIn(phase.written, begin) })
    return member.stages.map((stage) => (begin === 0 ? stage : stage.map(moved)))
  })
  const most = Math.max(...apart.map((stages) => stages.length))
  return {
    stages: range(most).map((n) => apart.flatMap((stages) => stages[n] ?? [])),
    scratch,
    choices: agreedOf(members.map(({ choices = {} }) => choices)),
  }
}

/** Elements of a body are counted by numbers of 32 bits. */
const mostElements = 2 ** 32

/** @throws RangeError for a kernel that computes more elements than a shader can count */
const requireCountable = ({ body: { size }, computes }: Stage): void => {
  if (size >= mostElements)
    throw new RangeError(
      `webgpu: ${computes} goes over ${size} elements, and a GPU counts less than 2³²: take them in parts, or use the device wasm`,
    )
}

/** The shaders of a kernel for a device. */
export const generate = (kernel: Kernel, target: Target): Generated => {
  switch (kernel.kind) {
    case 'elementwise':
      requireCountable(kernel)
      return elementwise(kernel)
    case 'reduce':
      requireCountable(kernel)
      return reduce(kernel, target)
    case 'gemm':
      return gemm(kernel, target)
    case 'conv':
      return conv(kernel, target)
    case 'place':
      return place(kernel)
    case 'gather':
      return gather(kernel)
    case 'scatter':
      return scatter(kernel, target)
    case 'sort':
      return sort(kernel, target)
    case 'cumsum':
      return cumsum(kernel)
    case 'rows': {
      const atOnce = rowsAtOnce(kernel, target)
      return atOnce === undefined ? inTurn(kernel.stages.map((stage) => generate(stage, target))) : alone(atOnce)
    }
    case 'group':
      return sideBySide(kernel.members.map((member) => generate(member, target)))
    case 'loop': {
      const body = kernel.body.kernels.map((inner) => generate(inner, target))
      return { stages: [], scratch: Math.max(0, ...body.map(({ scratch }) => scratch)), body }
    }
  }
}
