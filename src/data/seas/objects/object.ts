/** What every object of the sea is to the renderer: a region of the picture plane and a colour for each point in it. */
import { addLight, saturate, under, type Rgb } from '../colour.ts'
import type { Placement } from '../factors.ts'
import type { Light } from '../light.ts'
import { across, type View } from '../view.ts'

/** A rectangle of the picture plane: u to the right of the middle, v below the horizon. */
export type Box = { readonly left: number; readonly right: number; readonly top: number; readonly bottom: number }

/** An object placed in a view. */
export type Painted = {
  /** What the object never reaches over. */
  readonly box: Box
  /** The waterline at u: the mirror image is turned over it, and haze takes its distance. */
  readonly base: (u: number) => number
  /** The colour at a point, or undefined where the object is not. */
  readonly paint: (u: number, v: number) => Rgb | undefined
}

/** What an object is placed into. */
export type Setting = { readonly light: Light; readonly view: View; readonly sunU: number }

/** A colour in the scene's light; `facing` is 1 where the surface looks to the sun, −1 where it looks away. */
export const lit = (light: Light, colour: Rgb, facing: number): Rgb =>
  under(colour, addLight(light.ambient, light.direct, saturate(0.5 + 0.5 * facing)))

/** Which side the sun stands on, as seen from an object: −1 far left, 1 far right. */
export const sunSide = (setting: Setting, placement: Placement): number =>
  Math.max(-1, Math.min(1, (setting.sunU - across(setting.view, placement.x)) * 2.5))

/**
 * An object that is drawn in its own frame: x to the right and y up from the middle of its waterline, in units of its
 * size.
 */
export type Sketch = {
  /** Reach to the left and right, and up. */
  readonly halfWidth: number
  readonly height: number
  readonly paint: (x: number, y: number) => Rgb | undefined
}

/** Places a sketch: scales it and leans it by an angle in radians, positive to the right, about its waterline. */
export const placed = (placement: Placement, view: View, lean: number, sketch: Sketch): Painted => {
  const { size } = placement
  const u0 = across(view, placement.x)
  const v0 = placement.depth * view.sea
  const [cos, sin] = [Math.cos(lean), Math.sin(lean)]
  const slant = Math.abs(sin)
  const reach = (sketch.halfWidth + sketch.height * slant) * size
  return {
    box: {
      left: u0 - reach,
      right: u0 + reach,
      top: v0 - (sketch.height + sketch.halfWidth * slant) * size,
      bottom: v0,
    },
    base: () => v0,
    paint: (u, v) => {
      const x = (u - u0) / size
      const y = (v0 - v) / size
      return y < 0 ? undefined : sketch.paint(x * cos - y * sin, x * sin + y * cos)
    },
  }
}
