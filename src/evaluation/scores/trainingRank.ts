/**
 * Whether generated pictures are nearer to pictures of training than to as many that were held out. What is good about a picture brings it as
 * near to the ones as to the others; only having seen the ones brings it nearer to them.
 *
 * In the spirit of C_T (Meehan, Chaudhuri and Dasgupta 2020, "A Non-Parametric Test to Detect Data-Copying in Generative Models"), which
 * compares distances to training of generated and of held-out pictures, and so calls a model that draws only ordinary pictures a copier. Here
 * the pictures that may have been seen are exchanged, not those that were drawn.
 */
import { range } from '../../prelude/array.ts'
import { observedLabels, permutationP, type Labels, type Tested } from '../permutations.ts'
import { nearestPlace, type Rows } from '../rows.ts'

/**
 * The share of generated pictures whose nearest is one of training; ½ where seeing made no difference.
 *
 *     share = (1/n) Σ 1[min d(x, training) < min d(x, held out)]        p: which of both are the seen ones, exchanged at random
 *
 * @param distances of each generated picture to those of training and then to as many held out: [n, 2m]
 * @param permuted assignments of labels to the 2m
 */
export const nearerToTraining = ({ count, width, values }: Rows, permuted: readonly Labels[]): Tested => {
  const nearest = range(count).map((i) => nearestPlace(values.subarray(i * width, (i + 1) * width)))
  const share = (labels: Labels): number => {
    let nearer = 0
    for (const place of nearest) nearer += labels[place] ?? 0
    return nearer / count
  }
  const value = share(observedLabels([width / 2, width / 2]))
  return { value, p: permutationP(value, permuted.map(share)) }
}
