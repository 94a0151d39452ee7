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

/** Kernels by name. */
export const kernelCases: Readonly<Record<string, KernelCase>> = {
  'gemm 256³': { kind: 'gemm', n: 256 },
  'gemm 512³': { kind: 'gemm', n: 512 },
  'gemm 1024³': { kind: 'gemm', n: 1024 },
  ...conv(16, 32, 32),
  ...conv(16, 16, 64),
  ...conv(4, 64, 64),
}

/** Floating-point operations of a kernel; a product and a sum are two. Zeros of the padding count. */
export const flopsOfCase = (c: KernelCase): number =>
  c.kind === 'gemm' ? 2 * c.n ** 3 : 2 * 9 * c.batch * c.size ** 2 * c.channels ** 2 * (c.pass === 'gradients' ? 2 : 1)
