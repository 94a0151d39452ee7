/** A task that is no diffusion and knows no picture: the line y = 3x − 1 through points with noise. */
import { range } from '../../src/prelude/array.ts'
import { tensor, zeros } from '../../src/tensor/create.ts'
import { normal } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { TE } from '../../src/prelude/fp.ts'
import type { Source, Task } from '../../src/train/index.ts'

/** Slope and height, each []. */
export interface Line {
  readonly slope: Tensor
  readonly height: Tensor
}

/** Places and what was measured there, each [N]. */
export interface Points {
  readonly x: Tensor
  readonly y: Tensor
}

const lossOf = ({ slope, height }: Line, { x, y }: Points): Tensor => x.mul(slope).add(height).sub(y).square().mean()

/** The task; its random numbers are small errors of the places, [N]. */
export const lineTask: Task<Line, Points, Tensor> = {
  words: {
    model: 'a line',
    goal: 'least squares',
    example: { one: 'a point', many: 'points', short: 'pt' },
    measured: ({ error = NaN }) => [`off by ${error.toFixed(3)}`],
  },
  losses: [{ name: 'error', about: 'the error between the points', curve: 'between' }],
  init: () => ({ slope: tensor(0), height: tensor(0) }),
  draws: (key, count, first) => normal(key, [count], 'f32', first).mul(0.01),
  loss: (line, { x, y }, shift) => lossOf(line, { x: x.add(shift), y }),
  blank: (count) => ({ x: zeros([count]), y: zeros([count]) }),
  sheets: () => (line) => async () =>
    TE.right({ extension: 'txt', bytes: new TextEncoder().encode(Object.keys(line).join()) })(),
}

/** Points at 0, 0.1, …, 0.9, again and again. */
export const linePoints: Source<Line, Points> = {
  examples: (first, count) => {
    const x = Float32Array.from(range(count), (i) => ((first + i) % 10) / 10)
    return { x: tensor(x), y: tensor(x.map((at) => 3 * at - 1)) }
  },
  measure: async (device) => {
    const error = device.compile((line: Line) => lossOf(line, { x: tensor([0.25, 0.75]), y: tensor([-0.25, 1.25]) }))
    return async (line) => ({ error: (await device.read(await error(line)))[0] ?? NaN })
  },
  fingerprint: 'line',
  summary: 'ten points of a line',
  warnings: [],
  changes: () => [],
}
