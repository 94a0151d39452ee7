/** Where a patch lies, as sines and cosines (Vaswani et al. 2017, section 3.5, for both axes), of any grid. */
import { range } from '../../prelude/array.ts'
import type { DType } from '../../graph/dtype.ts'
import { constant } from '../../tensor/create.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Grid } from './patches.ts'

/** (sin(i·ω₀), …, cos(i·ω₀), …), ω_k = 10⁴^(−k / count) */
const sinusoids = (i: number, count: number): readonly number[] => {
  const angles = range(count).map((k) => i / 10_000 ** (k / count))
  return [...angles.map(Math.sin), ...angles.map(Math.cos)]
}

/**
 * `[h·w, width]`: the first half of a vector says the column and the second the row, as MAE (He et al. 2022) and DiT have it.
 *
 * @param width divisible by 4
 */
export const sinCosPositions = ([rows, columns]: Grid, width: number, dtype: DType): Tensor => {
  const [across, down] = [columns, rows].map((n) => range(n).map((i) => sinusoids(i, width / 4)))
  const vectors = (down ?? []).flatMap((row) => (across ?? []).flatMap((column) => [...column, ...row]))
  return constant(vectors, { shape: [rows * columns, width], dtype })
}
