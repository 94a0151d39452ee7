/**
 * Random numbers as pure functions of a key: nothing is stored, and the same key gives the same bits on every backend.
 *
 * @example
 * const [kt, ke] = split(key(42))
 * const t = randint(kt, [8], 0, 1000)
 * const epsilon = normal(ke, [8, 28, 28, 3])
 */
export { categorical, gumbel, permutation } from './random/categorical.ts'
export { foldIn, key, split, type Keys } from './random/key.ts'
export { normal, normalFromBits } from './random/normal.ts'
export type { Key } from './random/threefry.ts'
export { bernoulli, bits, randint, uniform, type UniformOptions } from './random/uniform.ts'
