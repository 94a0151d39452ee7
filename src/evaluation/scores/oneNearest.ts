/**
 * The accuracy of the nearest neighbour in telling generated from real: each point is called what its nearest other point is. One
 * distribution gives ½. Told apart, both are near 1. Copies give less than ½ on the generated, whose nearest neighbour is the real picture
 * that each was copied from.
 *
 * Lopez-Paz and Oquab 2017, "Revisiting Classifier Two-Sample Tests"; that it should be given for both kinds on their own: Xu, Huang, Yuan,
 * Guo, Sun, Wu and Weinberger 2018, "An empirical study on evaluation metrics of generative adversarial networks".
 */
import { range } from '../../prelude/array.ts'
import { observedLabels, permutationP, type Labels } from '../permutations.ts'
import { mean } from '../statistics.ts'
import type { Neighbours } from './neighbours.ts'

/** Shares of the points whose nearest neighbour is of their own kind. */
export interface OneNearest {
  /** Of both kinds; 0.5 where they cannot be told apart. */
  readonly value: number
  readonly real: number
  /** Below 0.5 where real pictures are copied. */
  readonly generated: number
  /** How often chance makes `value` as large. */
  readonly p: number
}

/** The accuracy of the nearest neighbour. @param permuted assignments of labels, from which p is taken */
export const oneNearest = ({ sizes, order }: Neighbours, permuted: readonly Labels[]): OneNearest => {
  const nearest = Int32Array.from(order, (others) => others[0] ?? -1)
  const own = (labels: Labels, i: number): number => (labels[nearest[i] ?? -1] === labels[i] ? 1 : 0)
  const accuracy = (labels: Labels): number => {
    let right = 0
    for (let i = 0; i < nearest.length; i++) right += own(labels, i)
    return right / nearest.length
  }
  const labels = observedLabels(sizes)
  const value = accuracy(labels)
  const places = range(nearest.length)
  const of = (label: number): number => mean(places.filter((i) => labels[i] === label).map((i) => own(labels, i)))
  return { value, real: of(1), generated: of(0), p: permutationP(value, permuted.map(accuracy)) }
}
