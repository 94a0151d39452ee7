/** A feature space: pictures as points, such that pictures which look alike are near. */
import { range } from '../../prelude/array.ts'
import { collate } from '../../data/batches.ts'
import { tensor } from '../../tensor/create.ts'
import type { Device } from '../../tensor/device.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Pictures } from '../pictures.ts'
import type { Rows } from '../rows.ts'

/** A feature space. Numbers of one space and version compare; those of different ones do not. */
export interface FeatureSpace {
  readonly name: string
  /** Changes when the same picture would become another point. */
  readonly version: number
  /** What a person should know of it. */
  readonly about: string
  /** The pictures as points, on a device. @param pictures RGB */
  readonly features: (device: Device, pictures: Pictures) => Promise<Rows>
}

/** Pictures that go through a network together. */
const batch = 32

/** Bytes [N, H, W, 3] as numbers in [−1, 1]. */
const normalised = (images: Tensor): Tensor =>
  images
    .cast('f32')
    .mul(1 / 127.5)
    .sub(1)

/**
 * The points of a network: `apply` on batches of pictures in [−1, 1], compiled once.
 *
 * @param params a tree that `apply` is given
 * @param apply [N, H, W, 3] → [N, d]
 */
export const pointsOf =
  <P>(params: P, apply: (params: P, x: Tensor) => Tensor) =>
  async (device: Device, { height, width, pictures }: Pictures): Promise<Rows> => {
    const run = device.compile((tree: P, images: Tensor) => apply(tree, normalised(images)))
    const held = await device.realize(params)
    const parts: Float64Array[] = []
    const size = Math.min(batch, pictures.length)
    for (const b of range(Math.ceil(pictures.length / size))) {
      const some = pictures.slice(b * size, (b + 1) * size)
      const first = some[0] ?? new Uint8Array()
      // The last batch is filled up: a plan is of one size.
      const filled = [...some, ...range(size - some.length).map(() => first)]
      const points = await run(held, tensor(collate(filled), { shape: [size, height, width, 3] }))
      const values = Float64Array.from(await device.read(points))
      parts.push(values.subarray(0, (values.length / size) * some.length))
    }
    const values = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0))
    parts.reduce((start, part) => {
      values.set(part, start)
      return start + part.length
    }, 0)
    return { count: pictures.length, width: values.length / pictures.length, values }
  }
