/** The setting that names labels of pictures: what each place of their numbers says. */
import { expects, type Decoder } from '../../prelude/decode.ts'
import { E } from '../../prelude/fp.ts'

/** At most so many labels. */
const mostLabels = 1000

/** Different names, one at least. */
export const labelNames: Decoder<readonly string[]> = (x) =>
  Array.isArray(x) &&
  x.length > 0 &&
  x.length <= mostLabels &&
  new Set(x).size === x.length &&
  x.every((name: unknown): name is string => typeof name === 'string' && name !== '')
    ? E.right(x)
    : expects(`a list of 1 to ${mostLabels} different names`)
