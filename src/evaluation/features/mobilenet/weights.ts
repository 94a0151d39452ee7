/**
 * Weights as packages of TensorFlow.js carry them: a description in JSON with the names of Keras, and bundles of bytes in base64, in which a float may
 * be a byte, min + scale·q. Read into the network's convolutions, each with its batch norm folded in.
 */
import { range } from '../../../prelude/array.ts'
import { isRecord } from '../../../prelude/record.ts'
import { tensor } from '../../../tensor/create.ts'
import { blockShapes, stemChannels, type Block, type Convolution, type MobilenetParams } from './network.ts'

/** A model as the package `nsfwjs` exports it: its parts are modules of their own, each loaded when it is called for. */
export interface PackagedModel {
  /** Its layers, and how its bytes are numbers: the `model.json` of TensorFlow.js. */
  readonly modelJson: () => Promise<unknown>
  /** The bytes, each part a text in base64. */
  readonly weightBundles: readonly (() => Promise<unknown>)[]
}

/** One array of the file: where it lies, and how its bytes are numbers. */
interface Entry {
  readonly shape: readonly number[]
  readonly from: number
  /** A byte is so much; absent where numbers are f32. */
  readonly quantization: { readonly min: number; readonly scale: number } | undefined
}

/** The arrays of a model by the names of Keras. */
interface Archive {
  readonly entries: ReadonlyMap<string, Entry>
  readonly bytes: Uint8Array
}

const fault = (what: string): Error =>
  new Error(
    `the weights of MobileNetV2 cannot be read: ${what}; they are those of nsfwjs 4.3 (npm install nsfwjs@4.3.0)`,
  )

/** What a module says, whether it exports it or is it. */
const said = (module: unknown): unknown => (isRecord(module) && 'default' in module ? module['default'] : module)

const isNumber = (x: unknown): x is number => typeof x === 'number' && Number.isFinite(x)

const quantizationOf = (name: string, field: unknown): Entry['quantization'] => {
  if (field === undefined) return undefined
  if (!isRecord(field) || field['dtype'] !== 'uint8' || !isNumber(field['min']) || !isNumber(field['scale']))
    throw fault(`'${name}' is not quantised to bytes`)
  return { min: field['min'], scale: field['scale'] }
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1)

const bytesIn = ({ shape, quantization }: Entry): number => sizeOf(shape) * (quantization === undefined ? 4 : 1)

/** Where each array lies: one after the other, as the manifest lists them. */
const entriesOf = (description: unknown): ReadonlyMap<string, Entry> => {
  const manifest = isRecord(description) ? description['weightsManifest'] : undefined
  if (!Array.isArray(manifest)) throw fault('its description has no weightsManifest')
  const listed = manifest.flatMap((group: unknown): readonly unknown[] =>
    isRecord(group) && Array.isArray(group['weights']) ? group['weights'] : [],
  )
  const entries = new Map<string, Entry>()
  let from = 0
  for (const weights of listed) {
    const { name, shape, dtype, quantization } = isRecord(weights) ? weights : {}
    if (typeof name !== 'string' || !Array.isArray(shape) || !shape.every(isNumber) || dtype !== 'float32')
      throw fault('its manifest lists what is no array of floats')
    const entry = { shape, from, quantization: quantizationOf(name, quantization) }
    entries.set(name, entry)
    from += bytesIn(entry)
  }
  return entries
}

const bytesOf = (bundles: readonly unknown[]): Uint8Array => {
  const parts = bundles.map((bundle) => {
    const text = said(bundle)
    if (typeof text !== 'string') throw fault('a bundle is no text')
    return Uint8Array.from(atob(text), (c) => c.charCodeAt(0))
  })
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  parts.reduce((start, part) => {
    bytes.set(part, start)
    return start + part.length
  }, 0)
  return bytes
}

/** The numbers of an array that must have a shape. */
const numbersOf = ({ entries, bytes }: Archive, name: string, shape: readonly number[]): Float64Array => {
  const entry = entries.get(name)
  if (entry === undefined) throw fault(`it has no '${name}'`)
  if (entry.shape.join() !== shape.join())
    throw fault(`'${name}' is [${entry.shape.join(', ')}] and not [${shape.join(', ')}]`)
  const { from, quantization } = entry
  if (from + bytesIn(entry) > bytes.length) throw fault(`'${name}' lies beyond the end`)
  const size = sizeOf(shape)
  if (quantization !== undefined)
    return Float64Array.from(bytes.subarray(from, from + size), (q) => quantization.min + quantization.scale * q)
  const view = new DataView(bytes.buffer, bytes.byteOffset + from, 4 * size)
  return Float64Array.from({ length: size }, (_, i) => view.getFloat32(4 * i, true))
}

/** What Keras adds to a variance in these networks. */
const epsilon = 1e-3

/**
 * A convolution and the batch norm behind it as one: with s = γ/√(σ² + ε), the weights are w·s and the bias β − μ·s.
 *
 * @param kept shape of the kernel in the file, of which the last axes, or for a filter a channel the third, are the channels that come out
 */
const folded = (
  archive: Archive,
  names: { readonly kernel: string; readonly norm: string },
  shape: readonly number[],
  outputs: number,
  kept = shape,
): Convolution => {
  const kernel = numbersOf(archive, names.kernel, kept)
  const ofNorm = (part: string): Float64Array => numbersOf(archive, `${names.norm}/${part}`, [outputs])
  const [gamma, beta] = [ofNorm('gamma'), ofNorm('beta')]
  const [mean, variance] = [ofNorm('moving_mean'), ofNorm('moving_variance')]
  const scale = gamma.map((g, c) => g / Math.sqrt((variance[c] ?? 0) + epsilon))
  return {
    weight: tensor(
      Float32Array.from(kernel, (w, i) => w * (scale[i % outputs] ?? 0)),
      { shape },
    ),
    bias: tensor(
      Float32Array.from(beta, (b, c) => b - (mean[c] ?? 0) * (scale[c] ?? 0)),
      { shape: [outputs] },
    ),
  }
}

const blockOf = (archive: Archive, i: number): Block => {
  const shape = blockShapes[i]
  if (shape === undefined) throw new RangeError(`there is no block ${i}`)
  const { inputs, middle, outputs } = shape
  const name = i === 0 ? 'expanded_conv' : `block_${i}`
  const pointwise = (part: string, from: number, to: number): Convolution =>
    folded(archive, { kernel: `${name}_${part}/kernel`, norm: `${name}_${part}_BN` }, [1, 1, from, to], to)
  return {
    expand: middle === inputs ? undefined : pointwise('expand', inputs, middle),
    // Keras keeps [3, 3, C, 1], which are the bytes of [3, 3, 1, C].
    depthwise: folded(
      archive,
      { kernel: `${name}_depthwise/depthwise_kernel`, norm: `${name}_depthwise_BN` },
      [3, 3, 1, middle],
      middle,
      [3, 3, middle, 1],
    ),
    project: pointwise('project', middle, outputs),
  }
}

/** The parameters in a package. @throws Error where it holds another network */
export const mobilenetParams = async ({ modelJson, weightBundles }: PackagedModel): Promise<MobilenetParams> => {
  const entries = entriesOf(said(await modelJson()))
  const bytes = bytesOf(await Promise.all(weightBundles.map((load) => load())))
  const archive = { entries, bytes }
  return {
    stem: folded(archive, { kernel: 'Conv1/kernel', norm: 'bn_Conv1' }, [3, 3, 3, stemChannels], stemChannels),
    blocks: range(blockShapes.length).map((i) => blockOf(archive, i)),
  }
}
