/**
 * Seas that are drawn once in a process: a sea takes 2 ms, and each run of an autoencoder looks at 2,000. vitest.config.ts puts this in the place
 * of `data/seas/render.ts` wherever the seas themselves are not what is tested.
 */
import { renderSea as draw } from '../../src/data/seas/render.ts'

export * from '../../src/data/seas/render.ts'

const drawn = new Map<string, Uint8Array>()

/** The picture, which is kept by what it shows and by its size. */
export const renderSea: typeof draw = (factors, size) => {
  const name = JSON.stringify([factors, size])
  const picture = drawn.get(name) ?? draw(factors, size)
  drawn.set(name, picture)
  return picture.slice()
}
