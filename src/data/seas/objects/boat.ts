/** Boats: a sloop under main and jib, a trawler with cabin and mast, a freighter with containers; all in profile. */
import { mix, scaled, type Rgb } from '../colour.ts'
import type { Boat, HullPaint, Rig, SailCloth } from '../factors.ts'
import { lit, placed, sunSide, type Painted, type Setting, type Sketch } from './object.ts'

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

const sloop =
  (kit: Kit): Sketch['paint'] =>
  (x, y) => {
    const depth = hullDepth(x, y, 0.36, 0.44, 0.13, 0.055)
    if (depth >= 0) return hullColour(kit, y, depth)
    if (Math.abs(x + 0.08) < 0.13 && y < 0.185)
      return kit.paint(y > 0.15 && Math.abs(x + 0.06) < 0.09 ? glass : [0.9, 0.88, 0.82], 0)
    if (Math.abs(x) < 0.012 && y < 1) return kit.paint(spar, kit.sun)
    // Mainsail: luff on the mast, foot on the boom, the leech bellies out.
    const up = (y - 0.21) / 0.76
    if (up >= 0 && up <= 1) {
      const leech = -0.4 * (1 - up) ** 0.85
      if (x < -0.012 && x > leech)
        return kit.paint(scaled(kit.sail, 0.82 + 0.2 * (1 - x / leech)), -0.2 - 0.6 * kit.sun * (x / leech - 0.4))
    }
    if (up > -0.035 && up < 0 && x < 0 && x > -0.42) return kit.paint(spar, 0)
    // Jib: from the stem to three quarters of the mast, hollow at the luff.
    const jib = (y - 0.2) / 0.62
    if (jib >= 0 && jib <= 1) {
      const luff = 0.4 * (1 - jib)
      if (x > 0.012 + 0.05 * jib * (1 - jib) && x < luff)
        return kit.paint(scaled(kit.sail, 0.86 + 0.16 * (x / luff)), 0.5 * kit.sun - 0.1)
    }
    return undefined
  }

const trawler =
  (kit: Kit): Sketch['paint'] =>
  (x, y) => {
    const depth = hullDepth(x, y, 0.62, 0.72, 0.22, 0.2)
    if (depth >= 0) return hullColour(kit, y, depth)
    const white: Rgb = [0.96, 0.95, 0.9]
    // Wheelhouse with a row of windows and a coloured roof.
    if (x > -0.06 && x < 0.34 && y < 0.62) {
      if (y > 0.58) return kit.paint(kit.hull, 0.6)
      if (y > 0.43 && y < 0.54 && ((x + 0.06) * 7.5) % 1 > 0.24) return kit.paint(glass, 0.2)
      return scaled(kit.paint(white, 0.3 * kit.sun), 0.92 + 0.2 * (x - 0.14) * kit.sun)
    }
    if (x > -0.4 && x <= -0.06 && y < 0.36) return kit.paint(scaled(white, 0.86), -0.2)
    // Funnel, masts and the gallows at the stern.
    if (x > -0.24 && x < -0.12 && y < 0.58)
      return kit.paint(y > 0.47 && y < 0.53 ? white : [0.85, 0.45, 0.12], kit.sun * (x + 0.18) * 9)
    if (Math.abs(x - 0.1) < 0.016 && y < 1) return kit.paint(spar, 0)
    if (Math.abs(x + 0.5) < 0.018 && y < 0.72) return kit.paint(spar, 0)
    const boom = 0.34 + (x + 0.5) * 0.62
    if (x > -0.5 && x < 0.1 && Math.abs(y - boom - 0.3) < 0.014) return kit.paint(spar, 0)
    if (x > 0.34 && x < 0.7 && Math.abs(y - 0.98 + (x - 0.1) * 0.92) < 0.01) return kit.paint(spar, 0)
    return undefined
  }

const containers: readonly Rgb[] = [
  [0.78, 0.24, 0.16],
  [0.16, 0.4, 0.66],
  [0.9, 0.62, 0.16],
  [0.22, 0.52, 0.34],
  [0.82, 0.82, 0.8],
]

const freighter =
  (kit: Kit): Sketch['paint'] =>
  (x, y) => {
    const depth = hullDepth(x, y, 1.7, 1.75, 0.34, 0.16)
    if (depth >= 0) return hullColour(kit, y * 0.6, depth)
    if (x > -1.55 && x < -1.12) {
      if (y < 0.92) return y > 0.76 && y < 0.85 ? kit.paint(glass, 0.2) : kit.paint([0.96, 0.96, 0.93], 0.3 * kit.sun)
      return x > -1.5 && x < -1.32 ? kit.paint(kit.hull, 0) : undefined
    }
    // Stacks of containers, lower towards the bow.
    const column = Math.floor((x + 1.05) / 0.3)
    if (column >= 0 && column < 8) {
      const row = Math.floor((y - 0.3) / 0.15)
      const stacked = column % 3 === 1 ? 2 : column < 6 ? 3 : 2
      if (row < stacked)
        return kit.paint(containers[(column * 3 + Math.max(0, row) * 2) % containers.length] as Rgb, 0.2 * kit.sun)
    }
    return Math.abs(x - 1.5) < 0.022 && y < 0.78 ? kit.paint(spar, 0) : undefined
  }

const rigSketches: Readonly<
  Record<Rig, { readonly halfWidth: number; readonly height: number; readonly draw: (kit: Kit) => Sketch['paint'] }>
> = {
  sloop: { halfWidth: 0.46, height: 1, draw: sloop },
  trawler: { halfWidth: 0.76, height: 1, draw: trawler },
  freighter: { halfWidth: 1.78, height: 1.05, draw: freighter },
}

/** A boat in its place. */
export const paintBoat = (boat: Boat, setting: Setting): Painted => {
  const { halfWidth, height, draw } = rigSketches[boat.rig]
  const sun = sunSide(setting, boat) * boat.heading
  const paint = draw({
    paint: (c, facing) => lit(setting.light, c, facing),
    hull: hulls[boat.hull],
    sail: cloths[boat.sail],
    sun,
  })
  return placed(boat, setting.view, boat.heel, { halfWidth, height, paint: (x, y) => paint(x * boat.heading, y) })
}
