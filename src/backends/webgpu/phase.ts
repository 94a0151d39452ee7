/** The code of a kernel: shaders that run one after the other. */
import type { KernelChoices } from '../../compiler/choices.ts'
import { writeShader, type Shader, type Written } from './wgsl/shader.ts'

/** Invocations in a workgroup, of kernels whose invocations do not work together. */
const usualWorkgroup = 64

/** One shader over a number of workgroups. */
export interface Phase {
  readonly written: Written
  readonly groups: number
}

/** A kernel as shaders. */
export interface Generated {
  /** Each is done before the next begins; the phases of one need not wait for each other. */
  readonly stages: readonly (readonly Phase[])[]
  /** Bytes of scratch memory that the phases use. */
  readonly scratch: number
  /** What was chosen for it, for people. */
  readonly choices?: KernelChoices
  /** Of a loop, the code of each kernel of its body; it has no stages itself. */
  readonly body?: readonly Generated[]
}

/**
 * A phase of invocations that do not work together.
 *
 * @param count how many there are
 * @param write what one does; `turn` is its number
 */
export const independent = (count: number, write: (shader: Shader, turn: string) => void): Phase => ({
  written: writeShader(usualWorkgroup, (shader) => {
    const { main, number } = shader
    main.add(`let turn = group * ${usualWorkgroup}u + lane;`)
    main.block(`if (turn < ${number(count)})`, () => {
      write(shader, 'turn')
    })
  }),
  groups: Math.ceil(count / usualWorkgroup),
})

/** A kernel of phases one after the other. */
export const inOrder = (phases: readonly Phase[], scratch = 0, choices: KernelChoices = {}): Generated => ({
  stages: phases.map((phase) => [phase]),
  scratch,
  choices,
})

/** A kernel of one phase that needs no more. */
export const alone = (phase: Phase): Generated => inOrder([phase])
