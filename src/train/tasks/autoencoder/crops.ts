/** Random crops of pictures: a function of the seed and of the crop's number in the endless stream, so that a run resumes anywhere. */
import type { TrainingData } from '../../../data/batches.ts'
import { hostFold, hostKey, hostUniform } from '../../../prelude/threefry.ts'
import { range } from '../../../prelude/array.ts'

/** The stream of a seed that places crops; the data's own are 0 and 1. */
const placing = 2

/** Rows `top` … `top + side − 1` and columns `left` … of a picture [height, width, channels]. */
const cut = (
  picture: Uint8Array,
  { width, channels }: Pick<TrainingData, 'width' | 'channels'>,
  [top, left]: readonly [number, number],
  side: number,
): Uint8Array => {
  const result = new Uint8Array(side * side * channels)
  for (let y = 0; y < side; y++) {
    const start = ((top + y) * width + left) * channels
    result.set(picture.subarray(start, start + side * channels), y * side * channels)
  }
  return result
}

/**
 * The crops `first` … `first + count − 1` of the stream: bytes of [count, side, side, channels]. Each is of the picture of the same number, from any
 * place where it fits.
 */
export const cropsAt = (data: TrainingData, seed: number, side: number, first: number, count: number): Uint8Array => {
  const key = hostFold(hostKey(seed), placing)
  const { height, width, channels } = data
  const each = side * side * channels
  const all = new Uint8Array(count * each)
  for (const i of range(count)) {
    const place = hostFold(key, first + i)
    const top = Math.floor(hostUniform(place, 0) * (height - side + 1))
    const left = Math.floor(hostUniform(place, 1) * (width - side + 1))
    all.set(cut(data.picture(first + i), data, [top, left], side), i * each)
  }
  return all
}
