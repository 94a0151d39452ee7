/** Faults that are planted into real pictures, each of which a judge must find, and copies in the disguises that a model gives them. */
import { blurredPictures } from '../../src/evaluation/anchors.ts'
import { painted, pick, type Pictures } from '../../src/evaluation/pictures.ts'
import { fitLinearProjection, projectLinearly } from '../../src/data/quality/linearProjection.ts'
import { mean } from '../../src/evaluation/statistics.ts'
import { range } from '../../src/prelude/array.ts'
import { hostFold, hostUniform, type HostKey } from '../../src/prelude/threefry.ts'

/** Pictures, each pixel by its three bytes. */
const byPixel = (
  set: Pictures,
  change: (rgb: readonly [number, number, number], middle: number) => readonly [number, number, number],
): Pictures => ({
  ...set,
  pictures: set.pictures.map((pixels) => {
    const middle = mean([...pixels])
    const result = new Uint8ClampedArray(pixels.length)
    for (let p = 0; p < pixels.length; p += 3)
      result.set(change([pixels[p] ?? 0, pixels[p + 1] ?? 0, pixels[p + 2] ?? 0], middle), p)
    return new Uint8Array(result.buffer)
  }),
})

/** Contrast by a factor, about each picture's own mean. */
export const withContrast = (set: Pictures, factor: number): Pictures =>
  byPixel(set, ([r, g, b], m) => [m + factor * (r - m), m + factor * (g - m), m + factor * (b - m)])

/** Colours turned about the grey axis (Rodrigues' rotation). */
const withHue = (set: Pictures, degrees: number): Pictures => {
  const angle = (degrees * Math.PI) / 180
  const [c, s] = [Math.cos(angle), Math.sin(angle) / Math.sqrt(3)]
  return byPixel(set, ([r, g, b]) => {
    const grey = ((r + g + b) / 3) * (1 - c)
    return [c * r + s * (b - g) + grey, c * g + s * (r - b) + grey, c * b + s * (g - r) + grey]
  })
}

/** Without its darkest quarter, which is nights and storms: others stand in their place. @param spare where those are taken from */
const withoutDark = (set: Pictures, spare: Pictures): Pictures => {
  const light = (pixels: Uint8Array): number => mean([...pixels])
  const bar = set.pictures.map(light).toSorted((a, b) => a - b)[Math.floor(set.pictures.length / 4)] ?? 0
  const kept = [...set.pictures, ...spare.pictures].filter((pixels) => light(pixels) >= bar)
  return { ...set, pictures: kept.slice(0, set.pictures.length) }
}

/** With a share of its pictures replaced by some of `originals`. */
export const withCopies = (set: Pictures, originals: Pictures, share: number): Pictures => {
  const count = Math.round(share * set.pictures.length)
  return { ...set, pictures: [...originals.pictures.slice(0, count), ...set.pictures.slice(count)] }
}

const moved = (set: Pictures, place: (y: number, x: number) => readonly [y: number, x: number]): Pictures => ({
  ...set,
  pictures: set.pictures.map((pixels) =>
    painted(set, (y, x, c) => {
      const [v, u] = place(y, x)
      const [row, column] = [Math.max(0, Math.min(set.height - 1, v)), Math.max(0, Math.min(set.width - 1, u))]
      return pixels[(row * set.width + column) * 3 + c] ?? 0
    }),
  ),
})

/** With noise of .05 of the range. */
const noised = (set: Pictures, key: HostKey): Pictures => ({
  ...set,
  pictures: set.pictures
    .map((pixels, i) =>
      Uint8ClampedArray.from(pixels, (byte, p) => {
        // Twelve uniform numbers less six are nearly normal.
        const normal = range(12).reduce((sum, k) => sum + hostUniform(hostFold(key, i), 12 * p + k), -6)
        return byte + 0.05 * 127.5 * normal
      }),
    )
    .map((pixels) => new Uint8Array(pixels.buffer)),
})

const shifted = (set: Pictures): Pictures => moved(set, (y, x) => [y, x + Math.round(set.width / 32)])
const flipped = (set: Pictures): Pictures => moved(set, (y, x) => [y, set.width - 1 - x])
const lit = (set: Pictures, gain: number): Pictures => byPixel(set, ([r, g, b]) => [gain * r, gain * g, gain * b])

/** As a linear code of patches of 8×8 makes them, of which it keeps 16 of 192 numbers, as the autoencoders of the presets do. */
const reconstructed = (set: Pictures): Pictures => {
  const fitted = fitLinearProjection(set.pictures, set, { factor: 8, latentChannels: 16 })
  return {
    ...set,
    pictures: set.pictures.map(
      (pixels) => new Uint8Array(new Uint8ClampedArray(projectLinearly(fitted, pixels)).buffer),
    ),
  }
}

/** The disguises of a copy: noise, a shift of a thirty-second of the side, a flip, light by a tenth up and down, blur, an autoencoder; and all. */
export const disguises: { readonly [name: string]: (set: Pictures, key: HostKey) => Pictures } = {
  plain: (set) => set,
  noise: noised,
  shift: shifted,
  flip: flipped,
  lighter: (set) => lit(set, 1.1),
  darker: (set) => lit(set, 0.9),
  blurred: (set) => blurredPictures(set, 1),
  reconstructed,
  'all together': (set, key) => noised(reconstructed(blurredPictures(flipped(shifted(lit(set, 0.9))), 1)), key),
}

/** A planted fault, and the tests that are meant to find it. */
export interface Fault {
  readonly name: string
  readonly plant: (set: Pictures, others: { readonly spare: Pictures; readonly training: Pictures }) => Pictures
  readonly foundBy: (test: string) => boolean
}

/** The faults of the table in docs/17-judging.md. */
export const faults: readonly Fault[] = [
  {
    name: 'blur, σ 0.7',
    plant: (set) => blurredPictures(set, 0.7),
    foundBy: (test) => test.startsWith('patches'),
  },
  { name: 'contrast −20 %', plant: (set) => withContrast(set, 0.8), foundBy: (test) => test === 'light: deviation' },
  { name: 'hue +10°', plant: (set) => withHue(set, 10), foundBy: (test) => test.startsWith('kernel') },
  {
    name: 'the darkest quarter is missing',
    plant: (set, { spare }) => withoutDark(set, spare),
    foundBy: (test) => test.startsWith('coverage'),
  },
  {
    name: '10 % are copies of training',
    plant: (set, { training }) => withCopies(set, training, 0.1),
    foundBy: (test) => test === 'copies',
  },
  {
    name: '10 % are drawn twice',
    plant: (set) => withCopies(set, pick(set, range(set.pictures.length).toReversed()), 0.1),
    foundBy: (test) => test === 'repeats',
  },
]
