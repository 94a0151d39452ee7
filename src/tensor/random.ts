/**
 * Random numbers as pure functions of a key: nothing is stored, and the same key gives the same bits on every backend.
 *
 * @example
 * ```ts
 * import { key, normal, randint, split } from 'fathom'
 *
 * const [kt, ke] = split(key(42))
 * const t = randint(kt, [4], 0, 1000) // => [201, 740, 161, 18]
 * const epsilon = normal(ke, [2, 2]) // => [[1.142, -1.064], [0.248, 1.935]]
 * ```
 */
export { categorical, gumbel, permutation } from './random/categorical.ts'
export { foldIn, key, split, type Keys } from './random/key.ts'
export { normal, normalFromBits } from './random/normal.ts'
export type { Key } from './random/threefry.ts'
export { truncatedNormal, type TruncatedOptions } from './random/truncatedNormal.ts'
export { bernoulli, bits, randint, uniform, type UniformOptions } from './random/uniform.ts'
