/**
 * Large pictures through an autoencoder in tiles that overlap and are blended, and many pictures in small batches: then memory is that of one batch of tiles,
 * whatever the pictures are. A tile sees zeros where its neighbours are. Where there is neither a norm nor attention, a latent depends on the pixels
 * near it only, and a `margin` as wide as that makes tiles agree with the whole; with them every tile has means, deviations and weights of its own.
 */
import { requireKnown } from '../../prelude/options.ts'
import { at, range } from '../../prelude/array.ts'
import { concatenate } from '../../tensor/combine.ts'
import { tensor } from '../../tensor/create.ts'
import type { Device } from '../../tensor/device.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Autoencoder } from './autoencoder.ts'
import type { Posterior } from './posterior.ts'
import { requireLatents, requirePictures } from './sizes.ts'

/** How pictures are cut; all lengths are in latents, `factor` pixels each. */
export interface TileOptions {
  /** Side of a tile; Infinity for whole pictures. */
  readonly size: number
  /** What neighbours share and blend, default a quarter of the size. */
  readonly overlap?: number
  /** What is computed beyond that at every side that has a neighbour, and thrown away; default 0. */
  readonly margin?: number
  /** Tiles that are computed at once, default 1. */
  readonly batch?: number
}

/** An autoencoder on a device, in tiles. */
export interface TiledAutoencoder<Enc, Dec> {
  /** The posterior of pictures, whose size the factor divides. */
  readonly encode: (encoder: Enc, pictures: Tensor) => Promise<Posterior>
  /** The pictures of latents. */
  readonly decode: (decoder: Dec, latents: Tensor) => Promise<Tensor>
}

/** A tile on one axis: what it covers, and what of that is kept. */
interface Span {
  readonly start: number
  readonly length: number
  readonly from: number
  readonly to: number
}

/** The usual overlap. */
const quarterOf = (size: number): number => (size === Infinity ? 0 : Math.floor(size / 4))

const spansOf = (length: number, { size, overlap = quarterOf(size), margin = 0 }: TileOptions): readonly Span[] => {
  if (length <= size) return [{ start: 0, length, from: 0, to: length }]
  const step = size - overlap - 2 * margin
  const count = 1 + Math.ceil((length - size) / step)
  return range(count).map((i) => {
    const start = Math.min(i * step, length - size)
    return {
      start,
      length: size,
      from: start + (i === 0 ? 0 : margin),
      to: start + size - (i === count - 1 ? 0 : margin),
    }
  })
}

const requireOptions = (options: TileOptions): void => {
  requireKnown('tiledAutoencoder', options, ['size', 'overlap', 'margin', 'batch'])
  const { size, overlap = quarterOf(size), margin = 0, batch = 1 } = options
  const wrong = Object.entries({ overlap, margin, batch }).find(
    ([name, n]) => !(Number.isInteger(n) && n >= (name === 'batch' ? 1 : 0)),
  )
  if (wrong !== undefined)
    throw new RangeError(`tiledAutoencoder: ${wrong[0]} is ${wrong[1]}; it must be a whole number of latents`)
  if (!(size - overlap - 2 * margin >= 1 && (Number.isInteger(size) || size === Infinity)))
    throw new RangeError(
      `tiledAutoencoder: tiles of ${size} latents leave nothing beside an overlap of ${overlap} and twice a margin of ${margin}: use a size of at least ${overlap + 2 * margin + 1}`,
    )
}

/** Elements of tensors [outer, length, inner], by which an axis in the middle is walked. */
interface Strip {
  readonly span: Span
  readonly values: Float32Array
}

/**
 * Parts that overlap on an axis as one, blended linearly: [outer, length, inner] each. Where two are equal the result is the same to the bit.
 *
 * @param scale elements of the axis for each latent
 */
const joined = (parts: readonly Strip[], outer: number, inner: number, scale: number): Float32Array => {
  const total = scale * Math.max(...parts.map(({ span }) => span.to))
  const result = new Float32Array(outer * total * inner)
  let end = 0
  for (const { span, values } of parts) {
    const [from, to, length] = [scale * span.from, scale * span.to, scale * span.length]
    for (let o = 0; o < outer; o++)
      for (let j = from; j < to; j++) {
        const share = j < end ? (j - from + 0.5) / (end - from) : 1
        const [source, target] = [(o * length + j - scale * span.start) * inner, (o * total + j) * inner]
        for (let i = 0; i < inner; i++) {
          const [before, here] = [result[target + i] ?? 0, values[source + i] ?? 0]
          result[target + i] = share === 1 ? here : before + share * (here - before)
        }
      }
    end = to
  }
  return result
}

/** Pictures [n, height, width, channels] in memory. */
interface Pictures {
  readonly values: ArrayLike<number>
  readonly shape: readonly [n: number, height: number, width: number, channels: number]
}

/** The part of picture `i` that two spans cover. */
const cropped = (
  { values, shape: [, height, width, channels] }: Pictures,
  i: number,
  rows: Span,
  columns: Span,
): Float32Array => {
  const row = columns.length * channels
  const crop = new Float32Array(rows.length * row)
  for (let y = 0; y < rows.length; y++) {
    const source = ((i * height + rows.start + y) * width + columns.start) * channels
    for (let k = 0; k < row; k++) crop[y * row + k] = values[source + k] ?? 0
  }
  return crop
}

const scaledSpan = ({ start, length, from, to }: Span, by: number): Span => ({
  start: start * by,
  length: length * by,
  from: from * by,
  to: to * by,
})

/** Arrays one after another. */
const flat = (parts: readonly Float32Array[]): Float32Array => {
  const result = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const part of parts) {
    result.set(part, offset)
    offset += part.length
  }
  return result
}

/** A compiled function of tiles [batch, …], and the device that reads its results. */
interface Run {
  readonly device: Pick<Device, 'read'>
  readonly apply: (tiles: Tensor) => Promise<Tensor>
}

/** The function's result for each crop: batch by batch, the last one filled up with its first crop. @param shape of a crop */
const computed = async (
  { device, apply }: Run,
  crops: readonly Float32Array[],
  shape: readonly number[],
  batch: number,
): Promise<readonly Float32Array[]> => {
  const results: Float32Array[] = []
  for (let first = 0; first < crops.length; first += batch) {
    const own = crops.slice(first, first + batch)
    const filled = range(batch).map((i) => own[i] ?? at(own, 0))
    const values = await device.read(await apply(tensor(flat(filled), { shape: [batch, ...shape] })))
    const each = values.length / batch
    results.push(...own.map((_, i) => Float32Array.from(values.subarray(i * each, (i + 1) * each))))
  }
  return results
}

/** Pixels for each latent of the pictures that come in, and of those that go out. */
interface Scales {
  readonly input: number
  readonly output: number
}

/** A function of pictures, tile by tile. */
const inTiles = async (
  run: Run,
  pictures: Tensor,
  { input, output }: Scales,
  options: TileOptions,
): Promise<Tensor> => {
  const shape = [at(pictures.shape, 0), at(pictures.shape, 1), at(pictures.shape, 2), at(pictures.shape, 3)] as const
  const [n, height, width, channels] = shape
  if (n === 0) throw new RangeError('tiledAutoencoder: there are no pictures: the first axis is 0')
  const [rows, columns] = [spansOf(height / input, options), spansOf(width / input, options)]
  const [tall, wide] = [at(rows, 0).length, at(columns, 0).length]
  const source = { values: await run.device.read(pictures), shape }
  const spans = range(n).flatMap((i) => rows.flatMap((row) => columns.map((column) => ({ i, row, column }))))
  const crops = spans.map(({ i, row, column }) => cropped(source, i, scaledSpan(row, input), scaledSpan(column, input)))
  const tiles = await computed(run, crops, [tall * input, wide * input, channels], options.batch ?? 1)
  const made = at(tiles, 0).length / (tall * wide * output ** 2)
  const whole = range(n).map((i) => {
    const strips = rows.map((span, y) => {
      const parts = columns.map((column, x) => ({
        span: column,
        values: at(tiles, (i * rows.length + y) * columns.length + x),
      }))
      return { span, values: joined(parts, tall * output, made, output) }
    })
    return joined(strips, 1, (width / input) * output * made, output)
  })
  return tensor(flat(whole), { shape: [n, (height / input) * output, (width / input) * output, made] })
}

/**
 * Encodes and decodes in tiles of one shape, each function compiled once. Neighbours share `overlap` latents, in which one goes over linearly into the
 * other; what a tile computes in its `margin` is thrown away.
 *
 * Where an autoencoder has neither attention nor norms, and the margin is at least the distance in latents over which its convolutions reach, the result
 * is that of whole pictures. With group norms or attention it is another one, near it: large tiles and a wide overlap hide the seams.
 *
 * @throws RangeError for tiles that leave nothing beside overlap and margins; ShapeError for pictures and latents of other sizes
 * @example
 * ```ts
 * import { key, zeros } from 'fathom'
 * import { autoencoderKl, tiledAutoencoder } from 'fathom/models'
 *
 * const net = autoencoderKl({ channels: 1, latentChannels: 2, widths: [4, 4], layers: 1, norm: 'none' })
 * const decoder = await device.realize(net.decoder.init(key(0)))
 * const { decode } = tiledAutoencoder(device, net, { size: 4, overlap: 1 })
 * const pictures = await decode(decoder, zeros([1, 4, 10, 2])) // three tiles
 * pictures.shape // => [1, 8, 20, 1]
 * ```
 */
export const tiledAutoencoder = <Enc, Dec>(
  device: Pick<Device, 'compile' | 'read'>,
  { encoder, decoder, factor, latentChannels }: Autoencoder<Enc, Dec>,
  options: TileOptions,
): TiledAutoencoder<Enc, Dec> => {
  requireOptions(options)
  const encodes = device.compile((params: Enc, pictures: Tensor) => {
    const { mean, logVariance } = encoder.apply(params, pictures)
    return logVariance === undefined ? mean : concatenate([mean, logVariance], -1)
  })
  const decodes = device.compile((params: Dec, latents: Tensor) => decoder.apply(params, latents))
  return {
    encode: async (params, pictures) => {
      requirePictures('tiledAutoencoder', pictures, pictures.shape.at(-1) ?? 0, factor)
      const run = { device, apply: async (tiles: Tensor) => encodes(params, tiles) }
      const moments = await inTiles(run, pictures, { input: factor, output: 1 }, options)
      const mean = moments.slice([], [], [], [0, latentChannels])
      if (at(moments.shape, 3) === latentChannels) return { mean }
      return { mean, logVariance: moments.slice([], [], [], [latentChannels, 2 * latentChannels]) }
    },
    decode: async (params, latents) => {
      requireLatents('tiledAutoencoder', latents, latentChannels)
      const run = { device, apply: async (tiles: Tensor) => decodes(params, tiles) }
      return inTiles(run, latents, { input: 1, output: factor }, options)
    },
  }
}
