/** Boats: a sloop under main and jib, a trawler with cabin and mast, a freighter with containers; all in profile. */
import { at } from '../../../prelude/array.ts'
import { mix, scaled, type Rgb } from '../colour.ts'
import type { Boat, HullPaint, Rig, SailCloth } from '../factors.ts'
import { lit, placed, sunSide, type Painted, type Setting } from './object.ts'

const hulls: Readonly<Record<HullPaint, Rgb>> = {
  white: [0.95, 0.95, 0.92],
  red: [0.8, 0.16, 0.13],
  navy: [0.12, 0.18, 0.4],
  black: [0.13, 0.13, 0.15],
  teal: [0.07, 0.48, 0.5],
  wood: [0.56, 0.34, 0.17],
}

const cloths: Readonly<Record<SailCloth, Rgb>> = {
  white: [1, 1, 0.98],
  cream: [0.98, 0.9, 0.72],
  rust: [0.8, 0.42, 0.2],
  crimson: [0.84, 0.16, 0.2],
}

const spar: Rgb = [0.36, 0.27, 0.2]
const glass: Rgb = [0.16, 0.24, 0.3]
const antifouling: Rgb = [0.5, 0.13, 0.1]

/** A colour by its surface's facing; the bow is at +x. */
type Paint = (colour: Rgb, facing: number) => Rgb

/** What a rig draws with: paint in the scene's light, and the boat's own colours. */
type Kit = { readonly paint: Paint; readonly hull: Rgb; readonly sail: Rgb; readonly sun: number }

/** The colour of one part of a boat at (x, y), or undefined where the part is not. */
type Part = (kit: Kit, x: number, y: number) => Rgb | undefined

/**
 * A hull from x = −stern to x = bow: the sheer (deck line) rises to the bow, the stem rakes forward, the stern is
 * steep.
 *
 * @returns height under the deck line at (x, y) if inside, or −1
 */
const hullDepth = (x: number, y: number, stern: number, bow: number, deck: number, lift: number): number => {
  const along = (x + stern) / (stern + bow)
  if (along < 0 || along > 1) return -1
  const sheer = deck + lift * along * along * along + 0.25 * lift * (1 - along) * (1 - along)
  const keelFront = bow - (bow * 0.34 * (sheer - y)) / sheer
  const keelBack = -stern + (stern * 0.1 * (sheer - y)) / sheer
  return y <= sheer && x <= keelFront && x >= keelBack ? sheer - y : -1
}

const hullColour = ({ paint, hull, sun }: Kit, y: number, depth: number): Rgb => {
  if (y < 0.022) return paint(antifouling, 0)
  if (depth < 0.022) return paint(mix(hull, [1, 1, 1], 0.55), 0.4)
  return scaled(paint(hull, 0.25 * sun - 0.1), 0.8 + 0.3 * (y / (y + depth)))
}

/** A hull of the given reach and height; `shade` stretches the paint's darkening towards the water. */
const hullOf =
  (stern: number, bow: number, deck: number, lift: number, shade: number): Part =>
  (kit, x, y) => {
    const depth = hullDepth(x, y, stern, bow, deck, lift)
    return depth < 0 ? undefined : hullColour(kit, y * shade, depth)
  }

const sloopCabin: Part = ({ paint }, x, y) => {
  if (Math.abs(x + 0.08) >= 0.13 || y >= 0.185) return undefined
  return paint(y > 0.15 && Math.abs(x + 0.06) < 0.09 ? glass : [0.9, 0.88, 0.82], 0)
}

const sloopMast: Part = ({ paint, sun }, x, y) => (Math.abs(x) < 0.012 && y < 1 ? paint(spar, sun) : undefined)

/** Height on the mainsail: 0 at its foot, 1 at its head. */
const upMainsail = (y: number): number => (y - 0.21) / 0.76

/** Luff on the mast, foot on the boom, the leech bellies out. */
const mainsail: Part = ({ paint, sail, sun }, x, y) => {
  const up = upMainsail(y)
  if (up < 0 || up > 1) return undefined
  const leech = -0.4 * (1 - up) ** 0.85
  if (x >= -0.012 || x <= leech) return undefined
  return paint(scaled(sail, 0.82 + 0.2 * (1 - x / leech)), -0.2 - 0.6 * sun * (x / leech - 0.4))
}

const sloopBoom: Part = ({ paint }, x, y) => {
  const up = upMainsail(y)
  return up > -0.035 && up < 0 && x < 0 && x > -0.42 ? paint(spar, 0) : undefined
}

/** From the stem to three quarters of the mast, hollow at the luff. */
const jib: Part = ({ paint, sail, sun }, x, y) => {
  const up = (y - 0.2) / 0.62
  if (up < 0 || up > 1) return undefined
  const luff = 0.4 * (1 - up)
  if (x <= 0.012 + 0.05 * up * (1 - up) || x >= luff) return undefined
  return paint(scaled(sail, 0.86 + 0.16 * (x / luff)), 0.5 * sun - 0.1)
}

const trawlerWhite: Rgb = [0.96, 0.95, 0.9]

/** A row of windows under a coloured roof. */
const wheelhouse: Part = ({ paint, hull, sun }, x, y) => {
  if (x <= -0.06 || x >= 0.34 || y >= 0.62) return undefined
  if (y > 0.58) return paint(hull, 0.6)
  if (y > 0.43 && y < 0.54 && ((x + 0.06) * 7.5) % 1 > 0.24) return paint(glass, 0.2)
  return scaled(paint(trawlerWhite, 0.3 * sun), 0.92 + 0.2 * (x - 0.14) * sun)
}

const deckhouse: Part = ({ paint }, x, y) =>
  x > -0.4 && x <= -0.06 && y < 0.36 ? paint(scaled(trawlerWhite, 0.86), -0.2) : undefined

/** Orange with a white band. */
const trawlerFunnel: Part = ({ paint, sun }, x, y) => {
  if (x <= -0.24 || x >= -0.12 || y >= 0.58) return undefined
  return paint(y > 0.47 && y < 0.53 ? trawlerWhite : [0.85, 0.45, 0.12], sun * (x + 0.18) * 9)
}

/** The mast, the gallows at the stern, the boom between them and the stay to the bow. */
const trawlerSpars: Part = ({ paint }, x, y) => {
  const mast = Math.abs(x - 0.1) < 0.016 && y < 1
  const gallows = Math.abs(x + 0.5) < 0.018 && y < 0.72
  const boomHeight = 0.34 + (x + 0.5) * 0.62
  const boom = x > -0.5 && x < 0.1 && Math.abs(y - boomHeight - 0.3) < 0.014
  const stay = x > 0.34 && x < 0.7 && Math.abs(y - 0.98 + (x - 0.1) * 0.92) < 0.01
  return mast || gallows || boom || stay ? paint(spar, 0) : undefined
}

/** The freighter's bridge: a white block with a row of windows. */
const superstructure: Part = ({ paint, sun }, x, y) => {
  if (x <= -1.55 || x >= -1.12 || y >= 0.92) return undefined
  return y > 0.76 && y < 0.85 ? paint(glass, 0.2) : paint([0.96, 0.96, 0.93], 0.3 * sun)
}

/** In the hull's colour, on top of the superstructure. */
const freighterFunnel: Part = ({ paint, hull }, x, y) =>
  y >= 0.92 && x > -1.5 && x < -1.32 ? paint(hull, 0) : undefined

const containers: readonly Rgb[] = [
  [0.78, 0.24, 0.16],
  [0.16, 0.4, 0.66],
  [0.9, 0.62, 0.16],
  [0.22, 0.52, 0.34],
  [0.82, 0.82, 0.8],
]

/** Eight stacks of two or three, lower towards the bow. */
const cargo: Part = ({ paint, sun }, x, y) => {
  const column = Math.floor((x + 1.05) / 0.3)
  if (column < 0 || column >= 8) return undefined
  const row = Math.floor((y - 0.3) / 0.15)
  const stacked = column % 3 === 1 || column >= 6 ? 2 : 3
  if (row >= stacked) return undefined
  return paint(at(containers, (column * 3 + Math.max(0, row) * 2) % containers.length), 0.2 * sun)
}

const foremast: Part = ({ paint }, x, y) => (Math.abs(x - 1.5) < 0.022 && y < 0.78 ? paint(spar, 0) : undefined)

/** Reach and parts of each rig; where parts overlap, the first one is seen. */
const rigSketches: Readonly<
  Record<Rig, { readonly halfWidth: number; readonly height: number; readonly parts: readonly Part[] }>
> = {
  sloop: {
    halfWidth: 0.46,
    height: 1,
    parts: [hullOf(0.36, 0.44, 0.13, 0.055, 1), sloopCabin, sloopMast, mainsail, sloopBoom, jib],
  },
  trawler: {
    halfWidth: 0.76,
    height: 1,
    parts: [hullOf(0.62, 0.72, 0.22, 0.2, 1), wheelhouse, deckhouse, trawlerFunnel, trawlerSpars],
  },
  freighter: {
    halfWidth: 1.78,
    height: 1.05,
    parts: [hullOf(1.7, 1.75, 0.34, 0.16, 0.6), superstructure, freighterFunnel, cargo, foremast],
  },
}

/** The first part that is at (x, y). */
const frontmost = (parts: readonly Part[], kit: Kit, x: number, y: number): Rgb | undefined => {
  for (const part of parts) {
    const colour = part(kit, x, y)
    if (colour !== undefined) return colour
  }
  return undefined
}

/** A boat in its place. */
export const paintBoat = (boat: Boat, setting: Setting): Painted => {
  const { halfWidth, height, parts } = rigSketches[boat.rig]
  const kit: Kit = {
    paint: (c, facing) => lit(setting.light, c, facing),
    hull: hulls[boat.hull],
    sail: cloths[boat.sail],
    sun: sunSide(setting, boat) * boat.heading,
  }
  return placed(boat, setting.view, boat.heel, {
    halfWidth,
    height,
    paint: (x, y) => frontmost(parts, kit, x * boat.heading, y),
  })
}
