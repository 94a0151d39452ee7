/** The command `encode`. */
import { resolve as absolute } from 'node:path'
import process from 'node:process'
import { pipe, TE } from '../prelude/fp.ts'
import { encodePictures, type EncodedPictures, type Preparation } from '../train/index.ts'
import { isSize, type FlagValue } from './parse.ts'
import { failed, type Outcome } from './outcome.ts'
import { deviceOptionsOf, withDevice } from './settings.ts'
import { pictures } from './show.ts'
import { note, say } from './terminal.ts'

const numbers = (values: readonly number[]): string => values.map((x) => x.toFixed(2)).join(' ')

const inWords = ({ count, shape, mean, deviation, file, found }: EncodedPictures): string =>
  [
    `  ${pictures(count)}, and ${count === 1 ? 'its mirror image' : 'their mirror images'}: latents of ${shape.join('×')}${found ? ', which were there already' : ''}`,
    `  mean ${numbers(mean)} · deviation ${numbers(deviation)} (0 and 1 in each channel where the autoencoder was trained on such pictures)`,
    file === undefined ? '  they could not be kept: the cache of the user cannot be written' : `  → ${file}`,
  ].join('\n')

const sizeOf = (flags: ReadonlyMap<string, FlagValue>): readonly [number, number] => {
  const size = flags.get('size')
  return isSize(size) ? size : [64, 64]
}

const channelsOf = (flag: FlagValue | undefined): 1 | 3 | 4 | undefined =>
  flag === undefined ? 3 : flag === 1 || flag === 3 || flag === 4 ? flag : undefined

/** `fathom encode`. */
export const runEncode = async (
  folder: string | undefined,
  flags: ReadonlyMap<string, FlagValue>,
): Promise<Outcome> => {
  const [place, channels] = [flags.get('latent'), channelsOf(flags.get('channels'))]
  if (typeof place !== 'string')
    return { code: 2, message: '`fathom encode` needs the autoencoder: fathom encode FOLDER --latent VAE' }
  if (channels === undefined) return { code: 2, message: '--channels must be 1, 3 or 4' }
  const options = deviceOptionsOf(flags)
  const [height, width] = sizeOf(flags)
  const tell = (what: Preparation, share: number): void => {
    if (process.stdout.isTTY)
      process.stdout.write(`\r  pictures ${what}: ${Math.floor(100 * share)} %${share === 1 ? '\r\u001b[K' : ''}`)
  }
  const device = flags.get('device')
  return pipe(
    withDevice({ ...(typeof device === 'string' && { device }) }, options),
    TE.chain(({ settings }) =>
      pipe(
        encodePictures({
          folder: folder === undefined ? null : absolute(folder),
          height,
          width,
          channels,
          autoencoder: absolute(place),
          device: String(settings['device']),
          deviceOptions: options,
          tell,
        }),
        TE.mapLeft(failed),
      ),
    ),
    TE.match(
      (outcome) => outcome,
      (encoded): Outcome => {
        for (const warning of encoded.warnings) note(warning)
        say(inWords(encoded))
        return { code: 0 }
      },
    ),
  )()
}
