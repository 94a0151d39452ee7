/**
 * sharp (libvips), the decoder, is an optional dependency: loaded when the first picture is needed, with a clear error
 * when it is missing.
 */
import { E, type TE } from '../../prelude/fp.ts'
import type { DataError } from './dataError.ts'
import { dataError } from './dataError.ts'

/** What `import('sharp')` gives. */
export type Sharp = typeof import('sharp').default

const message = (error: unknown): string => {
  const why = (error instanceof Error ? error.message : String(error)).trim().split('\n')[0] ?? ''
  return (
    `Pictures in folders are decoded by sharp, which could not be loaded (${why}). ` +
    'Run `npm install sharp@0.35.5`; if it is installed but lacks the binary of this machine, ' +
    '`npm install --include=optional sharp@0.35.5`.'
  )
}

/**
 * The decoder, or `DATA-SHARP`.
 *
 * Its operation cache is turned off for the whole process: every picture is decoded once and from memory, so a cache
 * only holds memory.
 *
 * @param load how to import it; tests give one that fails
 */
export const loadSharp =
  (load: () => Promise<{ readonly default: Sharp }> = () => import('sharp')): TE.TaskEither<DataError, Sharp> =>
  async () => {
    try {
      const sharp = (await load()).default
      sharp.cache(false)
      return E.right(sharp)
    } catch (error) {
      return E.left(dataError('DATA-SHARP', message(error)))
    }
  }
