/** Images as sequences of patches (Dosovitskiy et al. 2021, section 3.1), and back. */
import { at } from '../../prelude/array.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** Rows and columns of a grid of patches. */
export type Grid = readonly [rows: number, columns: number]

/** The grid that an image [N, H, W, C] is cut into. */
export const gridOf = (x: Tensor, patch: number): Grid => [at(x.shape, 1) / patch, at(x.shape, 2) / patch]

/** `[N, h·p, w·p, C] → [N, h·w, p·p·C]`: patches row by row, in each of them pixels row by row. */
export const patchify = (x: Tensor, patch: number): Tensor => {
  const [n, channels] = [at(x.shape, 0), at(x.shape, 3)]
  const [rows, columns] = gridOf(x, patch)
  const cut = x.reshape([n, rows, patch, columns, patch, channels]).transpose([0, 1, 3, 2, 4, 5])
  return cut.reshape([n, rows * columns, patch * patch * channels])
}

/** `[N, h·w, p·p·C] → [N, h·p, w·p, C]`: the inverse of {@link patchify}. */
export const unpatchify = (tokens: Tensor, [rows, columns]: Grid, patch: number): Tensor => {
  const [n, channels] = [at(tokens.shape, 0), at(tokens.shape, 2) / patch ** 2]
  const laid = tokens.reshape([n, rows, columns, patch, patch, channels]).transpose([0, 1, 3, 2, 4, 5])
  return laid.reshape([n, rows * patch, columns * patch, channels])
}

/** A vector for each patch as an image: `[N, h·w, C] → [N, h, w, C]`. */
export const mapOf = (tokens: Tensor, [rows, columns]: Grid): Tensor =>
  tokens.reshape([at(tokens.shape, 0), rows, columns, at(tokens.shape, 2)])
