/** Public functions without a row in the table of ends, and why. */

/** Functions under another name there. */
export const renamed: Readonly<Record<string, string>> = { attention: 'scaledDotProductAttention' }

const makes = 'makes numbers of a shape alone'

/** Name → why it has no row. */
export const absent: Readonly<Record<string, string>> = {
  arange: makes,
  charbonnier: 'PyTorch has none; its ends are in test/nn/losses.test.ts',
  eye: makes,
  full: makes,
  iota: makes,
  linspace: makes,
  ones: makes,
  onesLike: makes,
  zeros: makes,
  zerosLike: makes,
}
