/** Whether the options of decoding make sense, before anything is read. */
import { E } from '../../prelude/fp.ts'
import { dataError, type DataError } from './dataError.ts'
import { defaultTimeout, type DecodeOptions } from './decodeOptions.ts'
import { defaultLimits } from './limits.ts'

const isWhole = (x: number, least: number, most: number): boolean => Number.isInteger(x) && x >= least && x <= most

/** Why an option makes no sense, if so. What the decoder itself would refuse must not be taken for a damaged picture. */
const optionObjection = (options: DecodeOptions): string | undefined => {
  const { height, width, channels, matte = 128, timeoutSeconds = defaultTimeout } = options
  const { maxPixels = defaultLimits.maxPixels } = options
  if (![height, width].every((n) => isWhole(n, 1, 16384)))
    return `The size ${height}×${width} (height×width) is not two whole numbers in 1 … 16384.`
  if (![1, 3, 4].includes(channels))
    return `${String(channels)} channels do not exist: use 1 (grey), 3 (colour) or 4 (colour and alpha).`
  if (!(matte >= 0 && matte <= 255)) return `The matte ${matte} is not a grey in 0 … 255.`
  if (!isWhole(timeoutSeconds, 1, 3600)) return `timeoutSeconds ${timeoutSeconds} is not a whole number in 1 … 3600.`
  if (!isWhole(maxPixels, 1, Infinity)) return `maxPixels ${maxPixels} is not a whole number above 0.`
  return undefined
}

/** `DATA-OPTION` when a size, a channel count, the matte or a limit makes no sense. */
export const checkOptions = (options: DecodeOptions): E.Either<DataError, void> => {
  const objection = optionObjection(options)
  return objection === undefined ? E.right(undefined) : E.left(dataError('DATA-OPTION', objection))
}
