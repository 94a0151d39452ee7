/**
 * Value noise and its octave sum: random numbers on an integer lattice, smoothly interpolated.
 *
 * Sources: Ebert et al., "Texturing and Modeling: A Procedural Approach", ch. 2 (value noise) and ch. 16 (fBm);
 * the lattice hash is Wellons' "lowbias32" (hash-prospector, 2018).
 */

/** A u32 hash of a lattice point. */
export const latticeHash = (x: number, y: number, seed: number): number => {
  let h = (Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ seed) | 0
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d)
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b)
  return (h ^ (h >>> 16)) >>> 0
}

const unit = 1 / 2 ** 32

/**
 * Value noise in the plane.
 *
 * @param seed a u32 that chooses the lattice's numbers
 * @returns a number in [0, 1), continuous with its first derivative in x and y
 */
export const valueNoise = (x: number, y: number, seed: number): number => {
  const ix = Math.floor(x)
  const iy = Math.floor(y)
  const fx = x - ix
  const fy = y - iy
  const sx = fx * fx * (3 - 2 * fx)
  const sy = fy * fy * (3 - 2 * fy)
  const a = latticeHash(ix, iy, seed)
  const b = latticeHash(ix + 1, iy, seed)
  const c = latticeHash(ix, iy + 1, seed)
  const d = latticeHash(ix + 1, iy + 1, seed)
  const top = a + (b - a) * sx
  return (top + (c + (d - c) * sx - top) * sy) * unit
}

/**
 * Fractional Brownian motion: octaves of value noise, each twice as fine and half as strong.
 *
 * @returns a number in [0, 1), about 0.5 on average
 */
export const fbm = (x: number, y: number, octaves: number, seed: number): number => {
  let sum = 0
  let weight = 0.5
  let total = 0
  for (let octave = 0; octave < octaves; octave++) {
    sum += weight * valueNoise(x, y, seed + octave * 0x9e3779b1)
    total += weight
    weight *= 0.5
    // A factor just off 2, and an offset, so that the octaves' lattices never line up.
    x = x * 2.03 + 17.1
    y = y * 2.03 + 9.2
  }
  return sum / total
}
