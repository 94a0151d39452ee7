/** What a formula of Einstein summation says: which label each axis of each operand has, and those of the result. */
import { at, range } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { notATensor } from '../prelude/mistaken.ts'
import { showShape, type Shape } from '../graph/shape.ts'

/** Labels of axes: letters, and `…0`, `…1` for the axes of an ellipsis, counted from its end. */
export type Labels = readonly string[]

/** A formula, read for operands of certain shapes. */
export interface Formula {
  readonly inputs: readonly Labels[]
  readonly output: Labels
  readonly lengths: ReadonlyMap<string, number>
}

const ellipsisLabels = (count: number): Labels => range(count).map((i) => `…${count - 1 - i}`)

/** The labels of a term. @param count the axes that its ellipsis stands for */
const labelsOf = (term: string, count: number): Labels => {
  const [before = '', after] = term.split('...')
  return after === undefined ? [...before] : [...before, ...ellipsisLabels(count), ...after]
}

const lettersOf = (term: string): number => term.replace('...', '').length

const isTerm = (term: string): boolean => /^[a-zA-Z]*(\.\.\.)?[a-zA-Z]*$/.test(term)

const requireFit = (formula: string, terms: readonly string[], shapes: readonly Shape[]): void => {
  if (terms.length !== shapes.length)
    throw new ShapeError(
      `einsum: '${formula}' is of ${terms.length} operand${terms.length === 1 ? '' : 's'}, it was given ${shapes.length}`,
    )
  terms.forEach((term, i) => {
    const { length } = at(shapes, i)
    if (term.includes('...') ? length < lettersOf(term) : length !== lettersOf(term))
      throw new ShapeError(
        `einsum: '${formula}' does not name the axes of ${shapes.map(showShape).join(' and ')}: '${term}' is for ${showShape(at(shapes, i))}`,
      )
  })
}

/** The length of each label; those of an ellipsis broadcast. */
const lengthsOf = (
  formula: string,
  inputs: readonly Labels[],
  shapes: readonly Shape[],
): ReadonlyMap<string, number> => {
  const lengths = new Map<string, number>()
  inputs.forEach((labels, i) => {
    labels.forEach((label, axis) => {
      const [n, known] = [at(at(shapes, i), axis), lengths.get(label)]
      const stretches = label.startsWith('…') && (n === 1 || known === 1)
      if (known !== undefined && known !== n && !stretches)
        throw new ShapeError(
          `einsum: '${formula}': ${label.startsWith('…') ? '...' : `'${label}'`} is ${known} and ${n}`,
        )
      if (known === undefined || known === 1) lengths.set(label, n)
    })
  })
  return lengths
}

/** The labels that stand once: those of an ellipsis, then letters in alphabetical order. */
const impliedOutput = (inputs: readonly Labels[], ellipsis: number): Labels => {
  const all = inputs.flat()
  const letters = all.filter((l) => !l.startsWith('…') && all.indexOf(l) === all.lastIndexOf(l))
  return [...ellipsisLabels(ellipsis), ...letters.toSorted()]
}

/** Reads a formula, and holds it to the shapes of its operands. */
export const parseFormula = (formula: string, shapes: readonly Shape[]): Formula => {
  if (typeof formula !== 'string')
    throw notATensor('einsum', formula, "a formula such as 'ij,jk->ik', and then the operands,")
  const [left = '', right, ...more] = formula.replaceAll(/\s/g, '').split('->')
  const terms = left.split(',')
  if (more.length > 0 || ![...terms, right ?? ''].every(isTerm))
    throw new ShapeError(`einsum: '${formula}' is not of the form 'ij,jk->ik': letters, commas, '...' and one '->'`)
  requireFit(formula, terms, shapes)
  const counts = terms.map((term, i) => (term.includes('...') ? at(shapes, i).length - lettersOf(term) : 0))
  const ellipsis = Math.max(0, ...counts)
  const inputs = terms.map((term, i) => labelsOf(term, at(counts, i)))
  const lengths = lengthsOf(formula, inputs, shapes)
  const output = right === undefined ? impliedOutput(inputs, ellipsis) : labelsOf(right, ellipsis)
  const wrong = output.find((l, i) => !lengths.has(l) || output.indexOf(l) !== i)
  if (wrong !== undefined)
    throw new ShapeError(`einsum: '${formula}': the result has '${wrong}' twice, or no operand has it`)
  return { inputs, output, lengths }
}
