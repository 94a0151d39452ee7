/** The part of a picture that fills another format: as much as fits, from the middle. */

/** Width and height in pixels. */
export interface Size {
  readonly width: number
  readonly height: number
}

/** A part of a picture. */
export interface Rectangle extends Size {
  readonly left: number
  readonly top: number
}

/**
 * The largest part of a picture that has the proportions of a format, in the middle of it.
 *
 * @example centredIn({ width: 300, height: 200 }, { width: 16, height: 16 }) is the square of 200 × 200 that begins 50 from the left
 */
export const centredIn = (picture: Size, format: Size): Rectangle => {
  const scale = Math.min(picture.width / format.width, picture.height / format.height)
  // Not wider by a rounding than the picture is.
  const width = Math.min(picture.width, format.width * scale)
  const height = Math.min(picture.height, format.height * scale)
  return { left: (picture.width - width) / 2, top: (picture.height - height) / 2, width, height }
}

/** The colours of pixels without their opacity: a canvas has four bytes for each, a picture three. */
export const withoutAlpha = (rgba: Uint8ClampedArray | Uint8Array): Uint8Array => {
  const rgb = new Uint8Array((rgba.length / 4) * 3)
  for (let i = 0; i < rgb.length; i++) rgb[i] = rgba[Math.floor(i / 3) * 4 + (i % 3)] ?? 0
  return rgb
}

/** Pixels of a canvas, opaque, from the bytes of a picture. */
export const withAlpha = (rgb: Uint8Array): Uint8ClampedArray<ArrayBuffer> => {
  const rgba = new Uint8ClampedArray((rgb.length / 3) * 4).fill(255)
  rgb.forEach((byte, i) => {
    rgba[Math.floor(i / 3) * 4 + (i % 3)] = byte
  })
  return rgba
}
