/**
 * Normal numbers as PyTorch draws them on a CPU after `manual_seed`: the generator is the Mersenne twister (Matsumoto & Nishimura 1998), and the method Box and Muller's over
 * blocks of 16, of draws whose number is a multiple of that. Checked by the sums in test/diffusion/bars.test.ts, which were published with such noise.
 */
import { range } from '../../src/prelude/array.ts'

const [size, period] = [624, 397]

/** Whole numbers below 2³². */
const mersenne = (seed: number): (() => number) => {
  const state = new Uint32Array(size)
  state[0] = seed
  for (let i = 1; i < size; i += 1) {
    const before = state[i - 1] ?? 0
    state[i] = Math.imul(1812433253, before ^ (before >>> 30)) + i
  }
  let next = size
  const twist = (): void => {
    for (let i = 0; i < size; i += 1) {
      const y = ((state[i] ?? 0) & 0x80000000) | ((state[(i + 1) % size] ?? 0) & 0x7fffffff)
      state[i] = (state[(i + period) % size] ?? 0) ^ (y >>> 1) ^ ((y & 1) === 1 ? 0x9908b0df : 0)
    }
    next = 0
  }
  return () => {
    if (next === size) twist()
    let y = state[next] ?? 0
    next += 1
    y ^= y >>> 11
    y ^= (y << 7) & 0x9d2c5680
    y ^= (y << 15) & 0xefc60000
    return (y ^ (y >>> 18)) >>> 0
  }
}

/** A generator of arrays, as `torch.randn(count)` gives them one after the other; `count` is a multiple of 16. */
export const torchNormal = (seed: number): ((count: number) => Float32Array) => {
  const whole = mersenne(seed)
  return (count) => {
    if (count % 16 !== 0) throw new RangeError(`torchNormal: ${count} numbers; it must be a multiple of 16`)
    const d = Float32Array.from(range(count), () => (whole() & 0xffffff) / 2 ** 24)
    for (let block = 0; block < count; block += 16)
      for (let j = block; j < block + 8; j += 1) {
        const radius = Math.sqrt(-2 * Math.log(1 - (d[j] ?? NaN)))
        const angle = 2 * Math.PI * (d[j + 8] ?? NaN)
        d[j] = radius * Math.cos(angle)
        d[j + 8] = radius * Math.sin(angle)
      }
    return d
  }
}
