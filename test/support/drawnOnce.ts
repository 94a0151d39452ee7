/** Seas that are drawn once in a test file: a sea takes 2 ms, and each run of an autoencoder looks at 2,000. `vi.mock('…/data/seas/render.ts', drawnOnce)`. */
import type * as Render from '../../src/data/seas/render.ts'

/** The module, with pictures that are kept by what they show and by their size. */
export const drawnOnce = async (original: () => Promise<typeof Render>): Promise<typeof Render> => {
  const { renderSea, ...rest } = await original()
  const drawn = new Map<string, Uint8Array>()
  return {
    ...rest,
    renderSea: (factors, size) => {
      const name = JSON.stringify([factors, size])
      const picture = drawn.get(name) ?? renderSea(factors, size)
      drawn.set(name, picture)
      return picture.slice()
    },
  }
}
