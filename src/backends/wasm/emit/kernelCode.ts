/**
 * The code of a kernel: phases that run one after the other, each a function `(block, first, last)` over independent units of work.
 *
 * A function knows the structure of its kernel (its body, how each operand is walked), and its block of parameters the numbers (addresses,
 * lengths, strides): kernels of one structure share a function, whatever their sizes. A unit's result depends neither on the thread that
 * computes it nor on how many there are: so the number of threads changes no bit.
 */
import type { KernelChoices } from '../../../compiler/choices.ts'
import type { FunctionDefinition } from '../assembler/module.ts'
import { readAt, type Field, type Parameter } from './block.ts'
import { unitFunction, type Unit } from './opening.ts'
import { textOf, type Plain } from './structure.ts'

export type { Parameter } from './block.ts'

/** What code is made for: the choices of this backend. */
export interface Machine {
  /** Whether x·y + z may be one operation that rounds once (relaxed SIMD). */
  readonly fma: boolean
  /** Whether the engine joins pairs of 128-bit operations into 256-bit ones; this changes no bit by itself, but the tiles that are chosen. */
  readonly wide: boolean
  /** m, where 3×3 convolutions may be computed by Winograd's algorithm F(m×m, 3×3), with other roundings; absent: as the sums that they are. */
  readonly winograd?: 2 | 4
}

/** The structure of code of which there is one function. */
export type Unstructured = Readonly<Record<never, never>>

/**
 * How functions of one kind are made. It is a constant of its file, so what it makes depends on the structure alone; `Values` are those of its
 * block.
 */
export interface Code<in Structure, in Values> {
  readonly name: string
  readonly block: (structure: Structure) => Field<Values, unknown>
  readonly make: (name: string, structure: Structure) => FunctionDefinition
}

/**
 * The code of a function over units of work.
 *
 * @param block the words that the function reads
 * @param write writes what the function does; it gets the words by their names, and of the kernel the structure alone
 * @returns code that phases can be made of, if its structure is plain data
 */
export const code = <Values, Read, Structure = Unstructured>(
  name: string,
  block: (structure: Structure) => Field<Values, Read>,
  write: (unit: Unit<Read>, structure: Structure) => void,
): Code<Structure extends Plain<Structure> ? Structure : never, Values> => ({
  name,
  block,
  make: (functionName, structure) =>
    unitFunction(
      functionName,
      (pointer) => readAt(block(structure), pointer),
      (unit) => {
        write(unit, structure)
      },
    ),
})

declare const derived: unique symbol

/** One function over units of work. All units of a phase are done before the next phase begins. Only {@link phase} makes one. */
export interface Phase {
  /** The code's name and the structure: phases with the same key share the function. */
  readonly key: string
  /** Makes the function; its name is the caller's. */
  readonly make: (name: string) => FunctionDefinition
  readonly parameters: readonly Parameter[]
  /** How many units of work there are. */
  readonly units: number
  /** Units that a thread takes at once: fewer are not worth its attention. */
  readonly grain: number
  /** Phases whose functions it calls. */
  readonly calls: readonly Phase[]
  readonly [derived]: true
}

/** A phase: a function of this code for this structure, with these values in its block. Its key says all that the function depends on. */
export const phase = <Structure, Values>(
  { name, block, make }: Code<Structure, Values>,
  structure: Structure,
  values: Values,
  work: Pick<Phase, 'units' | 'grain'>,
  calls: readonly Phase[] = [],
): Phase => {
  const made: Omit<Phase, typeof derived> = {
    key: `${name} ${textOf(structure)}`,
    make: (functionName) => make(functionName, structure),
    parameters: block(structure).write(values),
    ...work,
    calls,
  }
  return made as Phase
}

/** A kernel as code. */
export interface Generated {
  readonly phases: readonly Phase[]
  /** Bytes of scratch memory that the phases use. */
  readonly scratch: number
  /** What was chosen for it, for people. */
  readonly choices?: KernelChoices
  /** Of a loop, the code of each kernel of its body; it has no phases itself. */
  readonly body?: readonly Generated[]
}

/** All phases of kernels and of the bodies of loops. */
export const phasesOf = (generated: readonly Generated[]): readonly Phase[] =>
  generated.flatMap(({ phases, body = [] }) => [...phases, ...phasesOf(body)])
