/**
 * Bridges from edge to edge: masonry arches, a suspension bridge with cables and hangers, a steel girder on piers.
 *
 * The bridge stands in a vertical plane that recedes, so its scale 1/Z is linear across the picture (projective
 * geometry of a plane).
 */
import { mix, scaled, type Rgb } from '../colour.ts'
import type { Bridge, BridgeStyle } from '../factors.ts'
import { across } from '../view.ts'
import { lit, sunSide, type Painted, type Setting } from './object.ts'

const stone: Rgb = [0.72, 0.64, 0.54]
const steelRed: Rgb = [0.76, 0.25, 0.17]
const steelGrey: Rgb = [0.5, 0.56, 0.62]
const concrete: Rgb = [0.7, 0.7, 0.7]

type Paint = (colour: Rgb, facing: number) => Rgb

/**
 * A bridge's own frame: t along, in units of its height; y up; `bay` is t's place between two piers, in (−½, ½) about
 * the middle.
 */
type Elevation = (t: number, y: number, span: number, bay: number) => Rgb | undefined

const arch =
  (paint: Paint): Elevation =>
  (_t, y, span, bay) => {
    if (y > 0.94) return paint(stone, 0.8)
    if (y > 0.86) return paint(scaled(stone, 0.82), -0.2)
    // Elliptic arch: springs at a fifth of the height from piers that take a seventh of the span.
    const half = 0.43
    const open = Math.abs(bay) < half
    const crown = open ? 0.12 + 0.64 * Math.sqrt(1 - (bay / half) ** 2) : 0
    if (open && y < crown) return undefined
    const ring = open && y < crown + 0.07
    const cutwater = Math.abs(Math.abs(bay) - 0.5) < 0.05 && y < 0.3
    const courses = 0.95 + 0.05 * ((Math.floor(y * 9) + Math.floor(bay * span * 5)) & 1)
    return scaled(
      paint(ring ? mix(stone, [1, 0.96, 0.88], 0.35) : stone, cutwater ? 0.7 : 0.1),
      courses * (0.72 + 0.28 * Math.min(1, y * 1.6)),
    )
  }

const deckHeight = 0.42

/** A tower of two legs with rungs between them, seen from the side, on a foot of concrete. */
const tower = (paint: Paint, y: number, toTower: number): Rgb | undefined => {
  const betweenRungs = y > deckHeight + 0.06 && (y * 5.5) % 1 > 0.28 && toTower < 0.022
  if (betweenRungs) return undefined
  return y < 0.1 ? paint(concrete, 0) : paint(steelRed, 0.2)
}

/** The cable hangs in a parabola under an even load, y = deck + sag · (2 bay)², and carries the deck by hangers. */
const cables = (paint: Paint, y: number, span: number, bay: number): Rgb | undefined => {
  const cable = deckHeight + 0.05 + 0.53 * 4 * bay * bay
  if (Math.abs(y - cable) < 0.02 + 0.03 * Math.abs(bay)) return paint(steelRed, 0.4)
  const hanger = y > deckHeight && y < cable && (bay * span * 6 + 64.5) % 1 < 0.13
  return hanger ? paint(scaled(steelRed, 0.85), 0) : undefined
}

const suspension =
  (paint: Paint): Elevation =>
  (_t, y, span, bay) => {
    if (y > deckHeight - 0.055 && y < deckHeight + 0.02)
      return paint(y > deckHeight ? scaled(steelRed, 1.15) : scaled(steelRed, 0.72), 0)
    const toTower = (0.5 - Math.abs(bay)) * span
    return toTower < 0.055 ? tower(paint, y, toTower) : cables(paint, y, span, bay)
  }

const girder =
  (paint: Paint): Elevation =>
  (_t, y, span, bay) => {
    const toPier = (0.5 - Math.abs(bay)) * span
    if (y < 0.56) return toPier < 0.1 - 0.05 * y ? paint(concrete, bay > 0 ? 0.4 : -0.2) : undefined
    if (y < 0.63) return paint(scaled(steelGrey, 0.7), -0.3)
    if (y > 0.95) return paint(steelGrey, 0.7)
    // A Warren truss: diagonals that rise and fall between two chords.
    const zigzag = Math.abs(((((bay * span * 2.2 + 32) % 1) + 1) % 1) - 0.5) * 2
    return Math.abs(zigzag - (y - 0.63) / 0.32) < 0.2 ? paint(steelGrey, 0.1) : undefined
  }

const elevations: Readonly<Record<BridgeStyle, (paint: Paint) => Elevation>> = { arch, suspension, girder }

/** A bridge in its place. */
export const paintBridge = (bridge: Bridge, setting: Setting): Painted => {
  const { light, view } = setting
  const u0 = across(view, bridge.x)
  const v0 = bridge.depth * view.sea
  const side = sunSide(setting, bridge)
  const elevation = elevations[bridge.style]((c, facing) => lit(light, c, facing + 0.3 * side))
  // 1/Z, linear in u; a very wide picture would see the vanishing point, where the scale is held.
  const scale = (u: number): number => Math.max(0.2, 1 + bridge.recede * (u - u0))
  const edge = view.breadth / 2
  const largest = Math.max(scale(edge), scale(-edge))
  const [baseLeft, baseRight] = [v0 * scale(-edge), v0 * scale(edge)]
  return {
    box: {
      left: -edge - 1,
      right: edge + 1,
      top: Math.min(0, v0 - bridge.size) * largest,
      bottom: Math.max(baseLeft, baseRight),
    },
    base: (u) => v0 * scale(u),
    paint: (u, v) => {
      const s = scale(u)
      const y = (v0 - v / s) / bridge.size
      if (y < 0 || y > 1.02) return undefined
      const t = (u - u0) / s / bridge.size
      const place = t / bridge.span
      return elevation(t, y, bridge.span, place - Math.floor(place) - 0.5)
    },
  }
}
