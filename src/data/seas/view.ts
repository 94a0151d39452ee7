/**
 * The camera: a pinhole one unit above a flat sea, looking level, and the map from pixels to its picture plane.
 *
 * A point of the picture at (u, v) below the horizon sees the water at distance Z = f / v and X = u / v (the
 * perspective of
 * a plane: Hartley and Zisserman, "Multiple View Geometry", ch. 8). One unit of u and v is the picture's shorter side.
 */

/** Width and height of a picture, in pixels. */
export type Size = { readonly width: number; readonly height: number }

/** Focal length in units of the shorter side: a lens of 45°. */
export const focal = 1.2

/** The picture plane of one scene at one size. */
export type View = {
  /** Pixels in one unit. */
  readonly unit: number
  /** Column of the middle and row of the horizon, in pixels. */
  readonly centre: number
  readonly horizon: number
  /** Height of the sky and of the water, in units. */
  readonly sky: number
  readonly sea: number
  /** Width of the picture, in units. */
  readonly breadth: number
}

/** The view of a scene whose horizon has the given fraction of the picture above it. */
export const viewOf = (horizon: number, { width, height }: Size): View => {
  const unit = Math.min(width, height)
  return {
    unit,
    centre: width / 2,
    horizon: horizon * height,
    sky: (horizon * height) / unit,
    sea: ((1 - horizon) * height) / unit,
    breadth: width / unit,
  }
}

/** Where a fraction of the picture's width lies on the picture plane. */
export const across = (view: View, x: number): number => (x - 0.5) * view.breadth
