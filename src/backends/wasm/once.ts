/**
 * Kernels that differ in nothing but their buffers have the same code and the same tables: of the 1,700 kernels of a small U-Net's training step
 * 540 are different. The code of such kernels is made once, and each gets it with its own buffers.
 */
import { at } from '../../prelude/array.ts'
import type { Kernel } from '../../compiler/kernel.ts'
import type { Generated, Machine, Parameter } from './emit/kernelCode.ts'
import { generate } from './generate.ts'
import { group } from './launch/group.ts'
import { looped } from './launch/loop.ts'

/** What a kernel is apart from its buffers, as a text; and the buffers in the order in which it names them. */
interface Anonymous {
  readonly text: string
  readonly buffers: readonly number[]
}

/** Names under which a kernel and its parts have the number of a buffer. */
const naming: ReadonlySet<string> = new Set(['buffer', 'output'])

/** What a kernel says of itself to people. */
const telling: ReadonlySet<string> = new Set(['computes', 'reason'])

/** A number as JSON has it, or, where it has none, in words. */
const inJson = (x: number): number | string =>
  Number.isFinite(x) && !Object.is(x, -0) ? x : `${Object.is(x, -0) ? '-0' : x}`

const anonymous = (kernel: Kernel): Anonymous => {
  const numbers = new Map<number, number>()
  const numberOf = (buffer: number): number => {
    const number = numbers.get(buffer) ?? numbers.size
    numbers.set(buffer, number)
    return number
  }
  const text = JSON.stringify(kernel, (name, value: unknown) => {
    if (typeof value === 'number') return naming.has(name) ? numberOf(value) : inJson(value)
    return telling.has(name) ? undefined : value
  })
  return { text, buffers: [...numbers.keys()] }
}

/** The code with other buffers. */
const renamed = ({ phases, ...rest }: Generated, from: readonly number[], to: readonly number[]): Generated => {
  const names = new Map(from.map((buffer, i) => [buffer, at(to, i)]))
  const word = (parameter: Parameter): Parameter => {
    if (typeof parameter === 'number') return parameter
    if (parameter.kind === 'block') return { ...parameter, words: parameter.words.map(word) }
    return parameter.kind === 'buffer'
      ? { ...parameter, buffer: names.get(parameter.buffer) ?? parameter.buffer }
      : parameter
  }
  return { ...rest, phases: phases.map((phase) => ({ ...phase, parameters: phase.parameters.map(word) })) }
}

/** The code of each kernel for this machine. */
export const generateAll = (kernels: readonly Kernel[], machine: Machine): readonly Generated[] => {
  const known = new Map<string, { readonly buffers: readonly number[]; readonly generated: Generated }>()
  const codeOf = (kernel: Kernel): Generated => {
    if (kernel.kind === 'group') return group(kernel.members.map(codeOf))
    if (kernel.kind === 'loop') return looped(kernel.body.kernels.map(codeOf))
    const { text, buffers } = anonymous(kernel)
    const alike = known.get(text)
    if (alike !== undefined) return renamed(alike.generated, alike.buffers, buffers)
    const generated = generate(kernel, machine)
    known.set(text, { buffers, generated })
    return generated
  }
  return kernels.map(codeOf)
}
