/** The share of copies by the steps of training, a line for each number of pictures, and where the trainer said that the best is past. */
import { at, range } from '../../src/prelude/array.ts'
import { colors, document, legend, px, text } from '../svg.ts'
import { crossing, type Course } from './course.ts'

const [left, top, width, height] = [70, 90, 640, 260] as const

/** Steps at which there are lines. */
const marks = [100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000] as const

/** What is drawn over: from steps and shares to pixels. */
interface Frame {
  readonly x: (step: number) => number
  readonly y: (share: number) => number
}

const verticals = ({ x }: Frame, [least, most]: readonly [number, number]): readonly string[] =>
  marks
    .filter((step) => step >= least && step <= most)
    .map(
      (step) =>
        `<path d="M${px(x(step))} ${top}V${top + height}" stroke="#e3e8ed"/>` +
        text(x(step), top + height + 18, String(step), 'text-anchor="middle"'),
    )

const horizontals = ({ y }: Frame, highest: number): readonly string[] =>
  range(Math.floor(highest / 0.05) + 1).map(
    (i) =>
      `<path d="M${left} ${px(y(0.05 * i))}H${left + width}" stroke="#e3e8ed"/>` +
      text(left - 8, y(0.05 * i) + 4, `${5 * i} %`, 'text-anchor="end"'),
  )

const line = ({ x, y }: Frame, { moments, passed }: Course, color: string, sought: number): string => {
  const path = moments.map(({ step, copies }, j) => `${j === 0 ? 'M' : 'L'}${px(x(step))} ${px(y(copies))}`).join('')
  const dot = (step: number, copies: number, fill: string): string =>
    `<circle cx="${px(x(step))}" cy="${px(y(copies))}" r="4" fill="${fill}" stroke="${color}" stroke-width="2"/>`
  const crossed = crossing(moments, sought)
  return [
    `<path d="${path}" fill="none" stroke="${color}" stroke-width="2"/>`,
    crossed === undefined ? '' : dot(crossed, sought, color),
    passed === undefined ? '' : dot(passed, moments.findLast(({ step }) => step <= passed)?.copies ?? 0, '#ffffff'),
  ].join('')
}

/** Draws the courses of runs. @param sought the share whose crossing is marked */
export const memoryChart = (courses: readonly Course[], sought: number): string => {
  const steps = courses.flatMap(({ moments }) => moments.map(({ step }) => step))
  const ends = [Math.min(...steps), Math.max(...steps)] as const
  const highest = Math.max(...courses.flatMap(({ moments }) => moments.map(({ copies }) => copies)), 2 * sought)
  const frame: Frame = {
    x: (step) => left + (Math.log(step / ends[0]) / Math.log(ends[1] / ends[0])) * width,
    y: (share) => top + height - (share / highest) * height,
  }
  const names = courses.map(({ count }) => `${count} pictures`)
  const below = 'steps of training · full dot: a tenth are copies · ring: the trainer says that the best is past'
  return document(left + width + 40, top + height + 70, 'Copies among what is drawn', [
    ...legend(24, 62, names),
    ...verticals(frame, ends),
    ...horizontals(frame, highest),
    ...courses.map((course, i) => line(frame, course, at(colors, i % colors.length), sought)),
    text(left + width / 2, top + height + 44, below, 'text-anchor="middle"'),
  ])
}
