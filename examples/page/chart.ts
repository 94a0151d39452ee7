/** The loss as a line on a canvas, in the page's colours: the axis of the loss is logarithmic, and a thin line shows what the thick one smooths. */
import { smoothed, type Point } from './curve.ts'

/** What is drawn. */
export interface Lines {
  readonly steps: number
  readonly training: readonly Point[]
  readonly heldOut: readonly Point[]
}

const margin = { left: 46, right: 10, top: 12, bottom: 24 }

/** Ticks of a logarithmic axis: 1, 2 and 5 of each decade; all of them where there are few. */
export const ticksBetween = (low: number, high: number): readonly number[] => {
  const decades = Array.from({ length: Math.ceil(Math.log10(high)) - Math.floor(Math.log10(low)) + 1 }, (_, i) => i)
  const ticks = decades.flatMap((i) => [1, 2, 5].map((n) => n * 10 ** (Math.floor(Math.log10(low)) + i)))
  return ticks.filter((tick) => tick >= low && tick <= high).map((tick) => Number(tick.toPrecision(3)))
}

/** Steps that are written below the axis: 0, the middle and the end. */
const stepTicks = (steps: number): readonly number[] => [0, Math.round(steps / 2), steps]

/** The range of the losses, with a little room. */
const rangeOf = (lines: Lines): readonly [low: number, high: number] => {
  const losses = [...lines.training, ...lines.heldOut].map(([, loss]) => loss).filter((loss) => loss > 0)
  if (losses.length === 0) return [0.1, 1]
  return [Math.min(...losses) / 1.15, Math.max(...losses) * 1.15]
}

/** A colour of the style sheet. */
const colour = (element: Element, name: string): string => getComputedStyle(element).getPropertyValue(name).trim()

/** A canvas of the size that it is shown in, in the pixels of the screen. */
const sized = (canvas: HTMLCanvasElement): { readonly width: number; readonly height: number } => {
  const { width, height } = canvas.getBoundingClientRect()
  const [across, down] = [Math.round(width * devicePixelRatio), Math.round(height * devicePixelRatio)]
  if (canvas.width !== across || canvas.height !== down) [canvas.width, canvas.height] = [across, down]
  return { width, height }
}

/** Draws the lines. */
export const drawChart = (canvas: HTMLCanvasElement, lines: Lines): void => {
  const context = canvas.getContext('2d')
  if (context === null) return
  const { width, height } = sized(canvas)
  const [low, high] = rangeOf(lines)
  const inner = { width: width - margin.left - margin.right, height: height - margin.top - margin.bottom }
  const x = (step: number): number => margin.left + (inner.width * step) / Math.max(1, lines.steps)
  const y = (loss: number): number => margin.top + (inner.height * Math.log(high / loss)) / Math.log(high / low)
  context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0)
  context.clearRect(0, 0, width, height)
  context.font = `11px ${getComputedStyle(canvas).fontFamily}`
  context.textBaseline = 'middle'

  context.strokeStyle = colour(canvas, '--line')
  context.fillStyle = colour(canvas, '--muted')
  context.lineWidth = 1
  context.textAlign = 'right'
  for (const tick of ticksBetween(low, high)) {
    context.beginPath()
    context.moveTo(margin.left, y(tick))
    context.lineTo(width - margin.right, y(tick))
    context.stroke()
    context.fillText(String(tick), margin.left - 8, y(tick))
  }
  if (lines.steps > 0)
    stepTicks(lines.steps).forEach((step, i) => {
      context.textAlign = (['left', 'center', 'right'] as const)[i] ?? 'center'
      context.fillText(step.toLocaleString('en-US'), x(step), height - 8)
    })

  const line = (points: readonly Point[], stroke: string, thickness: number, opacity: number): void => {
    context.strokeStyle = stroke
    context.lineWidth = thickness
    context.globalAlpha = opacity
    context.lineJoin = 'round'
    context.beginPath()
    for (const [step, loss] of points.filter(([, loss]) => loss > 0)) context.lineTo(x(step), y(loss))
    context.stroke()
    context.globalAlpha = 1
  }
  line(lines.training, colour(canvas, '--accent'), 1, 0.3)
  line(smoothed(lines.training, lines.training.length / 40), colour(canvas, '--accent'), 2, 1)
  line(lines.heldOut, colour(canvas, '--second'), 2, 1)
}
