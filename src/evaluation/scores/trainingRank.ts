/**
 * Whether generated pictures are nearer to pictures of training than to as many that were held out. What is good about a picture brings it as
 * near to the ones as to the others; only having seen the ones brings it nearer to them.
 *
 * In the spirit of C_T (Meehan, Chaudhuri and Dasgupta 2020, "A Non-Parametric Test to Detect Data-Copying in Generative Models"), which
 * compares distances to training of generated and of held-out pictures, and so calls a model that draws only ordinary pictures a copier. Here
 * the pictures that may have been seen are exchanged, not those that were drawn.
 */
import { observedLabels, permutationP, type Labels, type Tested } from '../permutations.ts'

/**
 * The share of generated pictures whose nearest is one of training; ½ where seeing made no difference.
 *
 *     share = (1/n) Σ 1[min d(x, training) < min d(x, held out)]        p: which of both are the seen ones, exchanged at random
 *
 * @param nearest of each generated picture the nearest, by its place among those of training and then as many held out: 0 … 2m − 1
 * @param permuted assignments of labels to the 2m
 */
export const nearerToTraining = (nearest: readonly number[], m: number, permuted: readonly Labels[]): Tested => {
  const share = (labels: Labels): number => {
    let nearer = 0
    for (const place of nearest) nearer += labels[place] ?? 0
    return nearer / nearest.length
  }
  const value = share(observedLabels([m, m]))
  return { value, p: permutationP(value, permuted.map(share)) }
}
