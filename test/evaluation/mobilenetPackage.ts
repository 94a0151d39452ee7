/** A package as `nsfwjs` is one, with weights that are drawn: 3.5 million bytes would be too many to keep. */
import { blockShapes, stemChannels } from '../../src/evaluation/features/mobilenet/network.ts'
import type { PackagedModel } from '../../src/evaluation/features/mobilenet/weights.ts'

interface Weights {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: string
  readonly quantization?: { readonly min: number; readonly scale: number; readonly dtype: string }
}

const between = (name: string, shape: readonly number[], low: number, high: number): Weights => ({
  name,
  shape,
  dtype: 'float32',
  quantization: { min: low, scale: (high - low) / 255, dtype: 'uint8' },
})

const norm = (name: string, channels: number): readonly Weights[] => [
  between(`${name}/gamma`, [channels], 0.9, 1.1),
  between(`${name}/beta`, [channels], -0.3, 0.3),
  between(`${name}/moving_mean`, [channels], -0.1, 0.1),
  between(`${name}/moving_variance`, [channels], 0.5, 1.5),
]

/** Uniform weights of variance 2 / fanIn. */
const kernel = (name: string, shape: readonly number[], fanIn: number): Weights =>
  between(name, shape, -Math.sqrt(6 / fanIn), Math.sqrt(6 / fanIn))

/** All arrays, by the names of Keras. */
export const manifest: readonly Weights[] = [
  kernel('Conv1/kernel', [3, 3, 3, stemChannels], 27),
  ...norm('bn_Conv1', stemChannels),
  ...blockShapes.flatMap(({ inputs, middle, outputs }, i) => {
    const name = i === 0 ? 'expanded_conv' : `block_${i}`
    return [
      ...(i === 0
        ? []
        : [kernel(`${name}_expand/kernel`, [1, 1, inputs, middle], inputs), ...norm(`${name}_expand_BN`, middle)]),
      kernel(`${name}_depthwise/depthwise_kernel`, [3, 3, middle, 1], 9),
      ...norm(`${name}_depthwise_BN`, middle),
      kernel(`${name}_project/kernel`, [1, 1, middle, outputs], middle),
      ...norm(`${name}_project_BN`, outputs),
    ]
  }),
]

/** Bytes of a linear congruential generator, the upper ones of its 32 bits (Numerical Recipes). */
export const drawnBytes = (count: number): Uint8Array => {
  const bytes = new Uint8Array(count)
  let state = 1
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

const sizeOf = ({ shape }: Weights): number => shape.reduce((product, n) => product * n, 1)

/** So many bytes do all arrays take. */
export const byteCount = manifest.reduce((sum, weights) => sum + sizeOf(weights), 0)

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** The package, with another manifest or other bytes where a test asks for them. */
export const drawnPackage = (
  weights: readonly unknown[] = manifest,
  bytes: Uint8Array = drawnBytes(byteCount),
): PackagedModel => {
  const half = bytes.length >> 1
  return {
    modelJson: async () => ({ default: { weightsManifest: [{ paths: [], weights }] } }),
    weightBundles: [bytes.subarray(0, half), bytes.subarray(half)].map((part) => async () => ({ default: text(part) })),
  }
}

/** A picture of numbers in [0, 1], [224, 224, 3], that is the same in every language. */
export const drawnPicture = (): Float32Array => Float32Array.from(drawnBytes(224 * 224 * 3), (byte) => byte / 255)
