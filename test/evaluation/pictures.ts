/** Sets of pictures for tests: seas, and pictures of one colour. */
import { seas } from '../../src/data/index.ts'
import type { Pictures } from '../../src/evaluation/pictures.ts'
import { range } from '../../src/prelude/array.ts'

/** Seas from the `first` on. */
export const seaPictures = (first: number, count: number, size = 16): Pictures => {
  const data = seas({ seed: 3, size })
  return { height: size, width: size, channels: 3, pictures: range(count).map((i) => data.image(first + i)) }
}

/** Pictures of one grey each. */
export const greys = (bytes: readonly number[], size = 16): Pictures => ({
  height: size,
  width: size,
  channels: 3,
  pictures: bytes.map((byte) => new Uint8Array(size * size * 3).fill(byte)),
})
