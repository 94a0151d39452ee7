/** Bytes of pictures, and the numbers in [−1, 1] that networks see. */
import type { Tensor } from '../../tensor/tensor.ts'

/** Bytes 0 … 255 as numbers in [−1, 1]. @param images u8 [N, H, W, C] */
export const normalise = (images: Tensor): Tensor =>
  images
    .cast('f32')
    .mul(1 / 127.5)
    .sub(1)

/** A number in [−1, 1] as a byte; one beyond is cut. */
export const toByte = (x: number): number => Math.round((Math.min(1, Math.max(-1, x)) + 1) * 127.5)
