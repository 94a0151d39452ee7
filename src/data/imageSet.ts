/**
 * A set of pictures of one size, read by index: what training draws its batches from.
 *
 * Folders of photographs and the procedural seas both produce it, so a trainer cannot tell them apart.
 */

/**
 * `count` pictures, each `height`×`width`×`channels` bytes, row by row with the channels of a pixel side by side
 * (HWC).
 *
 * @typeParam A what a picture is: its bytes, or numbers that stand for it
 */
export interface ImageSet<A = Uint8Array> {
  /** What a person would call the set: the folder's path, or the name of a procedural scene. */
  readonly name: string
  readonly height: number
  readonly width: number
  /** 1 (grey), 3 (sRGB) or 4 (sRGB and alpha). */
  readonly channels: number
  readonly count: number
  /**
   * The pixels of picture `index`: `[height, width, channels]`, U8 in 0 … 255. The bytes may be a view into the set: do
   * not write to them.
   *
   * @throws RangeError when `index` is not an integer in `0 … count − 1`.
   */
  readonly pixels: (index: number) => A
}
