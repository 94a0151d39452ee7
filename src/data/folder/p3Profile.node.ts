/** The ICC profile of Display P3, which phones name by a number alone: the one that sharp brings. */
import type { Sharp } from './sharp.node.ts'

/** The number of its primaries in ITU-T H.273, table 2. */
export const displayP3 = 12

/** The profile's bytes: those that sharp puts into a picture. */
export const p3Profile = async (sharp: Sharp): Promise<Uint8Array | undefined> => {
  const create = { width: 1, height: 1, channels: 3, background: '#000' } as const
  const png = await sharp({ create }).withIccProfile('p3').png().toBuffer()
  return (await sharp(png).metadata()).icc
}
