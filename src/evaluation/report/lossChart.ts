/** The loss by noise level as a chart: where along the way from noise to picture a model has begun to learn by heart. */
import { range } from '../../prelude/array.ts'
import { px, shown } from './html.ts'

/** The loss at one level of noise. */
export interface LevelLoss {
  /** The middle of the level as a share of the way into noise: 0 is the picture, 1 pure noise. */
  readonly noise: number
  readonly training: number
  readonly heldOut: number
}

const [width, height] = [640, 240] as const
const frame = { left: 56, right: width - 16, top: 12, bottom: height - 40 } as const

/** The chart; the axis of the loss is logarithmic. */
export const lossChart = (levels: readonly LevelLoss[]): string => {
  const logs = levels.flatMap(({ training, heldOut }) => [Math.log10(training), Math.log10(heldOut)])
  const [low, high] = [Math.min(...logs), Math.max(...logs)]
  const x = (noise: number): number => frame.left + noise * (frame.right - frame.left)
  const y = (loss: number): number =>
    frame.bottom - ((Math.log10(loss) - low) / Math.max(1e-9, high - low)) * (frame.bottom - frame.top)
  const line = (of: (level: LevelLoss) => number, name: string): string =>
    `<path class="${name}" d="${levels.map((level, i) => `${i === 0 ? 'M' : 'L'}${px(x(level.noise))} ${px(y(of(level)))}`).join('')}"/>` +
    levels
      .map((level) => `<circle class="${name}" cx="${px(x(level.noise))}" cy="${px(y(of(level)))}" r="3"/>`)
      .join('')
  const ticks = range(4).map((i) => {
    const value = 10 ** (low + ((high - low) * i) / 3)
    return `<line class="grid" x1="${frame.left}" x2="${frame.right}" y1="${px(y(value))}" y2="${px(y(value))}"/><text x="${frame.left - 8}" y="${px(y(value) + 4)}" text-anchor="end">${shown(value, value < 0.1 ? 3 : 2)}</text>`
  })
  return [
    `<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="Loss by noise level">`,
    ...ticks,
    `<text x="${frame.left}" y="${height - 14}">picture</text>`,
    `<text x="${frame.right}" y="${height - 14}" text-anchor="end">noise</text>`,
    line(({ training }) => training, 'seen'),
    line(({ heldOut }) => heldOut, 'unseen'),
    '</svg>',
  ].join('')
}
