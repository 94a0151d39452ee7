/** Sheets of pictures on canvases: four in a row, each pixel as it is; the style sheet makes them larger. */
import { withAlpha } from './crop.ts'
import type { Sheet } from './messages.ts'

/** Pictures in a row. */
const columns = 4

/** Draws the pictures, with a gap of a pixel between them through which the page shows. */
export const drawSheet = (canvas: HTMLCanvasElement, { side, count, bytes }: Sheet): void => {
  const gap = Math.max(1, Math.round(side / 16))
  const across = columns * (side + gap) - gap
  const down = Math.ceil(count / columns) * (side + gap) - gap
  ;[canvas.width, canvas.height] = [across, down]
  const context = canvas.getContext('2d')
  if (context === null) return
  for (let i = 0; i < count; i++) {
    const picture = withAlpha(bytes.subarray(i * side * side * 3, (i + 1) * side * side * 3))
    const [column, row] = [i % columns, Math.floor(i / columns)]
    context.putImageData(new ImageData(picture, side, side), column * (side + gap), row * (side + gap))
  }
}
