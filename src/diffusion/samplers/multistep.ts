/**
 * The engine of the samplers: a general linear method (Butcher 1966) over entries.
 *
 * An *entry* is one evaluation of the network. A method that asks once a step has an entry for each level; one that asks twice, as Heun's,
 * has two, so that its levels repeat. An entry makes of x, of the estimates there, of what was kept before, and of fresh noise
 *
 *     x′ = X·x̂₀ + E·ε̂ + A·x + Σ_j K_j·kept_j + N·z
 *
 * and new kept pictures in the same way. A method is nothing but these factors: tables in f64, computed on the host by its paper's formulas ({@link Form}).
 * They enter by the number of the entry, so that one compiled plan serves a whole walk.
 *
 * A walk may begin at any level, from x alone. So the factors are a function of how many entries were *known* before as well: a method
 * of third order begins with steps of first and second order, wherever it begins.
 */
import { at, range } from '../../prelude/array.ts'
import { scalar, zerosLike } from '../../tensor/create.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { stepsOf, type Levels } from '../levels.ts'
import type { Estimate } from '../prediction.ts'
import type { Sampler } from '../sampler.ts'
import { gatherTable } from '../table.ts'
import { termsOf, type Form, type Terms } from './form.ts'

/** What an entry makes: the next x, and what is kept for the entries after. */
export interface Entry {
  readonly next: Form
  readonly kept: readonly Form[]
}

/** A method: its levels and the factors of its entries. */
export interface Method {
  /** One for each entry, and the one where it ends. Inner stages repeat levels. */
  readonly levels: Levels
  /** How many pictures are kept beside x. */
  readonly kept: number
  /** How many entries before it an entry may look back to. */
  readonly depth: number
  /** The factors of an entry, with so many known before it, at most `depth`. */
  readonly entry: (index: number, known: number, terms: Terms) => Entry
}

/** The state of a method that keeps something. */
export interface MultistepState {
  readonly x: Tensor
  readonly kept: readonly Tensor[]
  /** [], i32: how many entries were made before, at most as many as the method looks back to. */
  readonly known: Tensor
}

/** A factor by row: of the form's term, in each of the rows. */
type Column = Float64Array

/** The columns of forms, one for each term. */
const columnsOf = (forms: readonly Form[], who: string): readonly Column[] => {
  forms.forEach((form, i) => {
    if (!form.every((factor) => Number.isFinite(factor)))
      throw new RangeError(
        `${who}: entry ${i} has factors ${form.join(', ')}, which must be finite: take levels that do not begin at pure noise, or a sampler that can (ddim, heun)`,
      )
  })
  return at(forms, 0).map((_, term) => Float64Array.from(forms, (form) => form[term] ?? NaN))
}

/** Σ factor · tensor over the terms that have factors; a factor of 1 in all rows is none. */
const weighted = (
  columns: readonly Column[],
  tensors: readonly (() => Tensor)[],
  row: Tensor,
  like: Tensor,
): Tensor => {
  const parts = columns.flatMap((column, term) => {
    if (column.every((factor) => factor === 0)) return []
    const x = at(tensors, term)()
    return [column.every((factor) => factor === 1) ? x : x.mul(gatherTable(column, row, like))]
  })
  return parts.length === 0 ? zerosLike(like) : parts.reduce((a, b) => a.add(b))
}

const termTensors = (
  { x0, epsilon }: Estimate,
  x: Tensor,
  kept: readonly Tensor[],
  draw: () => Tensor,
): readonly (() => Tensor)[] => [() => x0, () => epsilon, () => x, ...kept.map((k) => () => k), draw]

/** The sampler of a method that keeps nothing: its state is x. */
export const oneStep = (who: string, levels: Levels, next: (index: number, terms: Terms) => Form): Sampler<Tensor> => {
  const terms = termsOf(0)
  const columns = columnsOf(
    range(stepsOf(levels)).map((i) => next(i, terms)),
    who,
  )
  return {
    levels,
    init: (x) => x,
    step: (x, estimate, index, draw) => weighted(columns, termTensors(estimate(x, index), x, [], draw), index, x),
    image: (x) => x,
  }
}

/** The sampler of a method. Rows of its tables are entries, and within them what is known. */
export const multistep = (who: string, { levels, kept: count, depth, entry }: Method): Sampler<MultistepState> => {
  const terms = termsOf(count)
  const width = depth + 1
  const entries = range(stepsOf(levels)).flatMap((i) =>
    range(width).map((known) => entry(i, Math.min(known, i), terms)),
  )
  const next = columnsOf(
    entries.map((e) => e.next),
    who,
  )
  const keeps = range(count).map((j) =>
    columnsOf(
      entries.map((e) => at(e.kept, j)),
      who,
    ),
  )
  return {
    levels,
    init: (x) => ({ x, kept: range(count).map(() => zerosLike(x)), known: scalar(0, 'i32') }),
    step: ({ x, kept, known }, estimate, index, draw) => {
      const tensors = termTensors(estimate(x, index), x, kept, draw)
      const row = index.cast('i32').mul(width).add(known)
      const made = (columns: readonly Column[]): Tensor => weighted(columns, tensors, row, x)
      return { x: made(next), kept: keeps.map(made), known: known.add(1).minimum(depth) }
    },
    image: ({ x }) => x,
  }
}
