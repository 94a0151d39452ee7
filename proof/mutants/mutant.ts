/** What a mutant is: one bug, planted as one replacement in one source file, and the tests that must notice it. */
import type { Tests } from './suites.ts'

/** The parts of the library in which bugs are planted. */
export const areas = [
  'derivative rules',
  'reverse and forward mode',
  'the check of gradients',
  'shape and dtype inference',
  'compiler',
  'kernels',
  'random numbers',
  'functions and layers',
  'losses',
  'optimizers and averages',
  'diffusion',
  'checkpoints and custom derivatives',
  'vmap',
  'devices',
  'data order and resume',
  'which pictures, draws and weights',
  'which picture and which part',
  'order of files',
  'order of threads',
  'errors and inspection',
  'photographs',
  'autoencoders',
  'reconstruction',
  'judging pictures',
] as const

/** One of {@link areas}. */
export type Area = (typeof areas)[number]

/** The ways in which numeric code goes wrong. */
export type Kind =
  | 'sign'
  | 'factor'
  | 'axis'
  | 'off by one'
  | 'swapped operands'
  | 'stale value'
  | 'missing sum'
  | 'missing term'
  | 'missing clamp'
  | 'missing check'
  | 'wrong dtype'
  | 'wrong tie'
  | 'wrong constant'
  | 'wrong operation'
  | 'missing call'
  | 'wrong order'

/** One bug, and the tests of which one must fail. */
export interface Mutant extends Tests {
  /** What is wrong, as a sentence of its own; no two mutants share it. */
  readonly name: string
  readonly area: Area
  readonly kind: Kind
  /** Path from the root. */
  readonly file: string
  /** Text that occurs exactly once in the file. */
  readonly find: string
  /** What stands there instead. */
  readonly replace: string
}

/** A row of a list: name, kind, find, replace; and the tests where they are not those of the list. */
export type Row = readonly [name: string, kind: Kind, find: string, replace: string, tests?: Tests]

/** The mutants of one file: its area, and the tests of all rows that name none. */
export const mutantsOf = (area: Area, file: string, tests: Tests, rows: readonly Row[]): readonly Mutant[] =>
  rows.map(([name, kind, find, replace, own]) => ({ name, area, kind, file, find, replace, ...(own ?? tests) }))
