/**
 * Digits to learn from, as there is nothing to download: strokes under a random slant, turn, size, shift and width, with noise. They are drawn by
 * tensors, on the device: how bright a pixel is follows from its distance to the nearest stroke.
 */
import { foldIn, gather, iota, key, normal, randint, tensor, uniform, type Key, type Tensor } from 'fathom'

/** Pictures u8 [N, 28, 28, 1], bright strokes on black, and which digit each shows, i32 [N]. */
export interface Digits {
  readonly images: Tensor
  readonly labels: Tensor
}

/** Width and height of a picture. */
export const side = 28

/** x and y, from −1 to 1, y downwards. */
type Point = readonly [x: number, y: number]

/** A part of an ellipse as eight strokes, angles in half turns, clockwise from the right. */
const arc = ([x, y]: Point, [width, height]: Point, from: number, to: number): readonly Point[] =>
  Array.from({ length: 9 }, (_, i) => {
    const angle = Math.PI * (from + ((to - from) * i) / 8)
    return [x + width * Math.cos(angle), y + height * Math.sin(angle)]
  })

/** The lines of each digit. */
const glyphs: readonly (readonly (readonly Point[])[])[] = [
  [arc([0, 0], [0.55, 0.9], 0, 2)],
  [[[-0.3, -0.6], [0.05, -0.9], [0.05, 0.9]]],
  [[...arc([0, -0.45], [0.5, 0.45], 1, 2.2), [-0.5, 0.9], [0.55, 0.9]]],
  [arc([-0.05, -0.45], [0.5, 0.45], 1.1, 2.5), arc([-0.05, 0.45], [0.55, 0.45], 1.5, 2.9)],
  [[[0.25, 0.9], [0.25, -0.9], [-0.55, 0.3], [0.6, 0.3]]],
  [[[0.5, -0.9], [-0.4, -0.9], [-0.45, -0.1]], arc([-0.05, 0.35], [0.55, 0.52], 1.25, 2.8)],
  [[[0.3, -0.9], [-0.3, -0.2], [-0.5, 0.4]], arc([0, 0.42], [0.5, 0.48], 0, 2)],
  [[[-0.5, -0.9], [0.55, -0.9], [-0.1, 0.9]]],
  [arc([0, -0.45], [0.42, 0.45], 0, 2), arc([0, 0.45], [0.52, 0.45], 0, 2)],
  [arc([0, -0.4], [0.5, 0.5], 0, 2), [[0.5, -0.4], [0.35, 0.9]]],
] // prettier-ignore

/** The strokes of each digit, [x, y, x, y]; digits of fewer than the most have their last one several times. */
const most = 16
const strokes = glyphs.map((lines) => {
  const own = lines.flatMap((line) => line.slice(1).map((to, i) => [...(line[i] ?? to), ...to]))
  return Array.from({ length: most }, (_, i) => own[Math.min(i, own.length - 1)] ?? [])
})

/** `count` digits; the same of the same key. */
export const digits = (k: Key, count: number): Digits => {
  const each = (name: string, low: number, high: number): Tensor => uniform(foldIn(k, name), [count, 1], { low, high })
  const labels = randint(foldIn(k, 'label'), [count], 0, 10)
  const [turn, slant, size] = [each('turn', -0.3, 0.3), each('slant', -0.25, 0.25), each('size', 7, 10)]
  const [right, down] = [each('right', 11.5, 16.5), each('down', 11.5, 16.5)]
  // one end of all strokes: [count, 1, strokes], in pixels
  const end = (from: number): readonly [x: Tensor, y: Tensor] => {
    const [u, v] = [from, from + 1].map((c) =>
      gather(tensor(strokes.map((own) => own.map((stroke) => stroke[c] ?? 0))), labels),
    ) as [Tensor, Tensor]
    const slanted = u.add(v.mul(slant))
    const x = slanted.mul(turn.cos()).sub(v.mul(turn.sin())).mul(size).add(right)
    const y = slanted.mul(turn.sin()).add(v.mul(turn.cos())).mul(size).add(down)
    return [x.expandDims(1), y.expandDims(1)]
  }
  const [[ax, ay], [bx, by]] = [end(0), end(2)]
  const [dx, dy] = [bx.sub(ax), by.sub(ay)]
  const pixel = iota([1, side * side, 1], 1)
  const [x, y] = [pixel.rem(side).cast('f32').sub(ax), pixel.div(side).cast('f32').sub(ay)] // from the stroke's beginning
  const along = x.mul(dx).add(y.mul(dy)).div(dx.square().add(dy.square())).maximum(0).minimum(1)
  const squared = x
    .sub(along.mul(dx))
    .square()
    .add(y.sub(along.mul(dy)).square())
  const distance = squared.neg().max(2).neg().sqrt() // [count, pixels]
  const ink = each('width', 1.5, 2.3).sub(distance).maximum(0).minimum(1).mul(255)
  const noisy = ink.add(normal(foldIn(k, 'noise'), [count, side * side]).mul(10))
  return { images: noisy.maximum(0).minimum(255).cast('u8').reshape([count, side, side, 1]), labels }
}

/** What programs learn from, and what they are tested on. */
export const learned = (count: number): Digits => digits(key(1), count)
/** Digits that no program has learned from. */
export const heldOut = (count: number): Digits => digits(key(2), count)

/** A minibatch, drawn with replacement on the device. */
export const minibatch = ({ images, labels }: Digits, k: Key, count: number): Digits => {
  const chosen = randint(k, [count], 0, images.shape[0] ?? 0)
  return { images: gather(images, chosen), labels: gather(labels, chosen) }
}
