/** The networks whose training step is compared. */

/** A case, as both sides are told it. */
export interface UnetCase {
  readonly width: number
  readonly multipliers: readonly number[]
  /** Height and width of the images. */
  readonly size: number
  readonly batch: number
  readonly threads: number
  /** Where PyTorch leaves weights and inputs for fathom. */
  readonly folder: string
  /** Learning rate, and decay of the moving average. */
  readonly rate: number
  readonly decay: number
}

/** The cases by name; lucidrains' `Unet(dim, dim_mults)` with his defaults. */
export const unetCases: { readonly [name: string]: Pick<UnetCase, 'width' | 'multipliers' | 'size' | 'batch'> } = {
  'U-Net 32, 1-2-4, 32×32, batch 16': { width: 32, multipliers: [1, 2, 4], size: 32, batch: 16 },
  'U-Net 64, 1-2-4-8, 64×64, batch 4': { width: 64, multipliers: [1, 2, 4, 8], size: 64, batch: 4 },
}

/** Functions that are compared. */
export type FunctionName =
  | 'cumsum'
  | 'gather'
  | 'embedding, both passes'
  | 'depthwise 3×3, both passes'
  | 'normal'
  | 'argsort'
  | 'top-p'
  | 'softmax'
  | 'gelu, both passes'
  | 'transpose'
  | 'products of matrices'

/** A function of a tensor of this shape; of indices of this shape, where it picks rows. */
export interface FunctionCase {
  readonly kind: 'function'
  readonly of: FunctionName
  readonly shape: readonly number[]
}

/** A kernel that is compared: a square matrix product, or a 3×3 convolution of [batch, size, size, channels] that keeps size and channels. */
export type KernelCase =
  | { readonly kind: 'gemm'; readonly n: number }
  | {
      readonly kind: 'conv'
      readonly pass: 'forward' | 'gradients'
      readonly batch: number
      readonly size: number
      readonly channels: number
    }
  | FunctionCase

const conv = (batch: number, size: number, channels: number): Readonly<Record<string, KernelCase>> => ({
  [`conv 3×3 [${batch}×${size}×${size}×${channels}] forward`]: { kind: 'conv', pass: 'forward', batch, size, channels },
  [`conv 3×3 [${batch}×${size}×${size}×${channels}] both gradients`]: {
    kind: 'conv',
    pass: 'gradients',
    batch,
    size,
    channels,
  },
})

const functionCases: readonly (readonly [FunctionName, readonly number[]])[] = [
  ['cumsum', [4096]],
  ['cumsum', [100, 1000]],
  ['cumsum', [32, 50_257]],
  ['gather', [4096]],
  ['embedding, both passes', [4096]],
  ['depthwise 3×3, both passes', [8, 32, 32, 64]],
  ['normal', [1_000_000]],
  ['argsort', [50_257]],
  ['top-p', [50_257]],
  ['softmax', [4096, 512]],
  ['gelu, both passes', [4096, 512]],
  ['transpose', [2048, 2048]],
  ['products of matrices', [32, 128, 128]],
]

/** Kernels by name. */
export const kernelCases: Readonly<Record<string, KernelCase>> = {
  'gemm 256³': { kind: 'gemm', n: 256 },
  'gemm 512³': { kind: 'gemm', n: 512 },
  'gemm 1024³': { kind: 'gemm', n: 1024 },
  ...conv(16, 32, 32),
  ...conv(16, 16, 64),
  ...conv(4, 64, 64),
  ...Object.fromEntries(
    functionCases.map(([of, shape]) => [`${of} [${shape.join('×')}]`, { kind: 'function', of, shape } as const]),
  ),
}

/** Floating-point operations of a product or a convolution; a product and a sum are two. Zeros of the padding count. */
export const flopsOfCase = (c: Exclude<KernelCase, FunctionCase>): number =>
  c.kind === 'gemm' ? 2 * c.n ** 3 : 2 * 9 * c.batch * c.size ** 2 * c.channels ** 2 * (c.pass === 'gradients' ? 2 : 1)
