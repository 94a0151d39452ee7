/** What is measured, and how large: one table for fathom, PyTorch and MLX, which are given it as JSON. */

/** A 3×3 convolution of [batch, size, size, channels] that keeps size and channels. */
export interface ConvCase {
  readonly batch: number
  readonly size: number
  readonly channels: number
}

/** A network that is trained. */
export interface NetworkCase {
  readonly name: string
  readonly width: number
  readonly multipliers: readonly number[]
  /** Height and width of the images. */
  readonly size: number
  readonly batch: number
  /** Images with which gradients are compared, before anything is timed. */
  readonly checked: number
}

/** All sizes. */
export interface Cases {
  readonly gemms: readonly number[]
  readonly convs: readonly ConvCase[]
  /** Products that are computed in every form; convolutions are those that are timed. */
  readonly formedGemms: readonly number[]
  /** Elements that are copied. */
  readonly copied: number
  /** Rows and columns. */
  readonly softmax: readonly [number, number]
  readonly groupNorm: ConvCase
  /** Products of 16×16 matrices, each of which waits for the one before. */
  readonly chain: number
  readonly published: NetworkCase
  readonly lucidrains: NetworkCase
  /** Seconds and rounds of a measurement. */
  readonly seconds: number
  readonly rounds: number
}

const conv = (batch: number, size: number, channels: number): ConvCase => ({ batch, size, channels })

/** For a GPU. */
export const full: Cases = {
  gemms: [1024, 2048, 4096],
  convs: [conv(16, 64, 64), conv(16, 32, 128), conv(16, 16, 256), conv(16, 8, 512)],
  formedGemms: [1024, 2048],
  copied: 2 ** 26,
  softmax: [65_536, 1024],
  groupNorm: conv(64, 64, 64),
  chain: 256,
  published: { name: 'conv U-Net', width: 64, multipliers: [1, 2, 4], size: 32, batch: 2, checked: 2 },
  lucidrains: { name: 'Unet(64)', width: 64, multipliers: [1, 2, 4, 8], size: 64, batch: 64, checked: 2 },
  seconds: 0.3,
  rounds: 5,
}

/** To try whether everything runs, where a program plays the GPU. */
export const small: Cases = {
  gemms: [96],
  convs: [conv(1, 8, 16)],
  formedGemms: [40],
  copied: 2 ** 14,
  softmax: [64, 100],
  groupNorm: conv(1, 8, 16),
  chain: 8,
  published: { name: 'conv U-Net', width: 16, multipliers: [1, 2], size: 8, batch: 2, checked: 1 },
  lucidrains: { name: 'Unet(64)', width: 8, multipliers: [1, 2], size: 8, batch: 2, checked: 1 },
  seconds: 0,
  rounds: 1,
}

/** A case's name, by which sides are compared. */
export const gemmName = (n: number): string => `gemm ${n}³`

/** A case's name, by which sides are compared. */
export const convName = ({ batch, size, channels }: ConvCase, pass: string): string =>
  `conv 3×3 [${[batch, size, size, channels].join('×')}] ${pass}`

/** The networks' names with their sizes. */
export const networkName = ({ name, size, batch }: NetworkCase): string => `${name}, ${size}×${size}, batch ${batch}`
