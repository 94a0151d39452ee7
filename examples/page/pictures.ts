/** Pictures that were dropped on the page: decoded by the browser in the Worker, cropped to the middle, and scaled. */
import { dataOfSet, type TrainingData } from 'fathom/data'
import { centredIn, withoutAlpha } from './crop.ts'
import type { Skipped } from './messages.ts'

/** Pictures below which there is nothing to learn. */
export const fewestPictures = 8

/** Pictures below which a network learns them by heart. */
const few = 100

/** What became of files. */
export interface Decoded {
  /** Each [side, side, 3]. */
  readonly pictures: readonly Uint8Array[]
  readonly skipped: readonly Skipped[]
}

/** Why the browser could not read a file as a picture. */
const faultOf = ({ name, type, size }: File): string => {
  if (size === 0) return 'it is empty'
  if (type !== '' && !type.startsWith('image/')) return `it is no picture, but ${type}`
  if (/\.(?:heic|heif)$/i.test(name)) return 'this browser does not read HEIC: save it as JPEG'
  return 'the browser cannot read it as a picture: is it damaged?'
}

/** One picture, cropped and scaled; opaque, on white. */
const decode = async (file: Blob, side: number): Promise<Uint8Array> => {
  const whole = await createImageBitmap(file)
  const { left, top, width, height } = centredIn(whole, { width: side, height: side })
  const size = { resizeWidth: side, resizeHeight: side, resizeQuality: 'high' } as const
  // At least a pixel: the part of a picture of 1 × 3000 is narrower.
  const part = await createImageBitmap(whole, left, top, Math.max(1, width), Math.max(1, height), size)
  const context = new OffscreenCanvas(side, side).getContext('2d', { willReadFrequently: true })
  if (context === null) throw new Error('the browser gives no canvas')
  context.fillStyle = '#fff'
  context.fillRect(0, 0, side, side)
  context.drawImage(part, 0, 0)
  whole.close()
  part.close()
  return withoutAlpha(context.getImageData(0, 0, side, side).data)
}

/** Decodes files one after the other: many photographs at once would not fit into memory. @param onFile how many of them are done */
export const decodeAll = async (
  files: readonly File[],
  side: number,
  onFile: (done: number) => void,
): Promise<Decoded> => {
  const [pictures, skipped]: [Uint8Array[], Skipped[]] = [[], []]
  for (const [i, file] of files.entries()) {
    try {
      pictures.push(await decode(file, side))
    } catch {
      skipped.push({ name: file.name, why: faultOf(file) })
    }
    onFile(i + 1)
  }
  return { pictures, skipped }
}

/** What is said of this many pictures. @throws Error with a sentence for people where they are too few */
export const wordsOn = (count: number): readonly string[] => {
  if (count < fewestPictures)
    throw new Error(
      `${count === 0 ? 'None of these files is a picture that can be read' : `Only ${count} of these files ${count === 1 ? 'is a picture' : 'are pictures'} that can be read`}, and at least ${fewestPictures} are needed: drop more, or train on procedural seas.`,
    )
  return count < few
    ? [`${count} pictures are few: the network will learn them by heart. Some hundreds are a start.`]
    : []
}

/** Pictures as training data: a tenth is held out. */
export const dataOfPictures = (pictures: readonly Uint8Array[], side: number, seed: number): TrainingData =>
  dataOfSet(
    {
      name: 'dropped pictures',
      height: side,
      width: side,
      channels: 3,
      count: pictures.length,
      pixels: (i) => {
        const picture = pictures[i]
        if (picture === undefined) throw new RangeError(`there is no picture ${i} among ${pictures.length}`)
        return picture
      },
    },
    seed,
  )
