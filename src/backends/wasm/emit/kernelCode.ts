/**
 * The code of a kernel: phases that run one after the other, each a function `(block, first, last)` over independent units of work.
 *
 * A function knows the structure of its kernel (its body, how each operand is walked), and its block of parameters the numbers (addresses,
 * lengths, strides): kernels of one structure share a function, whatever their sizes. A unit's result depends neither on the thread that
 * computes it nor on how many there are: so the number of threads changes no bit.
 */
import type { KernelChoices } from '../../../compiler/choices.ts'
import type { FunctionDefinition, Import } from '../assembler/module.ts'
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

/** Makes a function of a name. */
export type Make = (name: string) => FunctionDefinition

/** Makes the function of a structure. */
type MakeOf<Structure> = (structure: Structure) => Make

/**
 * How functions of one kind are made. It is a constant of its file, so what it makes depends on the structure alone; `Values` are those of its
 * block.
 */
export interface Code<in Structure, in Values> {
  readonly name: string
  readonly block: (structure: Structure) => Field<Values, unknown>
  /** Undefined where it is among the {@link Writers}. */
  readonly make: MakeOf<Structure> | undefined
}

/** Code whose functions are written by a module that is loaded when a plan first has one. What they read is known at once. */
export interface LaterCode<in Structure, in Values, out Read> extends Code<Structure, Values> {
  readonly block: (structure: Structure) => Field<Values, Read>
}

/** What makes functions that few programs need. */
export interface Writers {
  /** By the names of their codes. */
  readonly makes: ReadonlyMap<string, MakeOf<never>>
  /** What such functions call of JavaScript, as the assembler and as an instance wants it. */
  readonly imports: readonly Import[]
  readonly called: WebAssembly.ModuleImports
}

/** Writes what a function over units of work does; it gets the words by their names, and of the kernel the structure alone. */
type Write<Read, Structure> = (unit: Unit<Read>, structure: Structure) => void

const makeOf =
  <Read, Structure>(
    block: (structure: Structure) => Field<never, Read>,
    write: Write<Read, Structure>,
  ): MakeOf<Structure> =>
  (structure) =>
  (name) =>
    unitFunction(
      name,
      (pointer) => readAt(block(structure), pointer),
      (unit) => {
        write(unit, structure)
      },
    )

/**
 * The code of a function over units of work.
 *
 * @param block the words that the function reads
 * @returns code that phases can be made of, if its structure is plain data
 */
export const code = <Values, Read, Structure = Unstructured>(
  name: string,
  block: (structure: Structure) => Field<Values, Read>,
  write: Write<Read, Structure>,
): Code<Structure extends Plain<Structure> ? Structure : never, Values> => ({ name, block, make: makeOf(block, write) })

/**
 * The code of a function that few programs need, without what writes it: that is among the {@link Writers}. All else of the kernel is known at once,
 * its memory, units and choices. First the type of its structure is given, then its name and the words that the function reads.
 */
export const codeLater =
  <Structure = Unstructured>() =>
  <Values, Read>(
    name: string,
    block: (structure: Structure) => Field<Values, Read>,
  ): LaterCode<Structure extends Plain<Structure> ? Structure : never, Values, Read> => ({
    name,
    block,
    make: undefined,
  })

/** What writes the functions of a code, for the table of {@link Writers}. */
export const writer = <Structure, Values, Read>(
  { name, block }: LaterCode<Structure, Values, Read>,
  write: Write<Read, Structure>,
): readonly [name: string, make: MakeOf<never>] => [name, makeOf(block, write)]

/** What makes a function, once the writers are there. */
export interface Later {
  readonly from: (writers: Writers) => Make
}

const later = <Structure>(name: string, structure: Structure): Later => ({
  from: (writers) => {
    const make = writers.makes.get(name)
    if (make === undefined) throw new Error(`wasm: nothing writes '${name}': add it to whole.ts`)
    return (make as MakeOf<Structure>)(structure) // `writer` has put it there for the code of this name
  },
})

declare const derived: unique symbol

/** One function over units of work. All units of a phase are done before the next phase begins. Only {@link phase} makes one. */
export interface Phase {
  /** The code's name and the structure: phases with the same key share the function. */
  readonly key: string
  /** Makes the function; its name is the caller's. */
  readonly make: Make | Later
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
    make: make === undefined ? later(name, structure) : make(structure),
    parameters: block(structure).write(values),
    ...work,
    calls,
  }
  return made as Phase
}

/** What makes the function of a phase; undefined while the writers are not there. */
export const makerOf = ({ make }: Pick<Phase, 'make'>, writers: Writers | undefined): Make | undefined =>
  typeof make === 'function' ? make : writers && make.from(writers)

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
