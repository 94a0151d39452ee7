/**
 * What samplers make of one noise in few evaluations of the network. The network is the best one for eight procedural seas with a little noise around each: the mean of these, weighted
 * by how likely x comes from each.
 */
import { key, normal, softmax, tensor, type Device, type Tensor } from 'fathom'
import { seas } from 'fathom/data'
import {
  gatherTable,
  linearSchedule,
  samplerNamed,
  samplers,
  sampling,
  stepsOf,
  type SamplerName,
} from 'fathom/diffusion'

const [size, count, spread] = [32, 8, 0.1]
const pixels = size * size * 3
const schedule = linearSchedule(1000)

/** Rows of the figure. */
export const samplerRows: readonly SamplerName[] = ['ddim', 'ddpm-respaced', 'heun', 'dpm-solver', 'unipc', 'plms']

/** Columns of the figure: at most so many evaluations of the network. */
const budgets: readonly number[] = [2, 3, 5, 10]

const sea = seas({ seed: 4, size })
/** [8, pixels] in [−1, 1]. */
const pictures = Float32Array.from(
  Array.from({ length: count }, (_, i) => Array.from(sea.image(i))).flat(),
  (byte) => byte / 127.5 - 1,
)

/** x̂₀ = Σᵢ wᵢ·(pᵢ + g·(x − a·pᵢ)), with g = a·c²/(a²c² + s²) and wᵢ ∝ exp(−|x − a·pᵢ|² / 2(a²c² + s²)). */
const best = (known: Tensor, x: Tensor, t: Tensor): Tensor => {
  const a = gatherTable(schedule.signal, t, x)
  const variance = a
    .square()
    .mul(spread ** 2)
    .add(gatherTable(schedule.noise, t, x).square())
  const products = x.matmul(known.transpose([1, 0]))
  const squares = known.square().sum([1])
  const nearness = products.mul(a).sub(a.square().mul(squares).mul(0.5)).div(variance)
  const mean = softmax(nearness, 1).matmul(known)
  const gain = a.mul(spread ** 2).div(variance)
  return mean.add(x.sub(mean.mul(a)).mul(gain))
}

/** The picture of a sampler with so many evaluations; undefined where it takes more to begin. */
const drawn = async (device: Device, name: SamplerName, budget: number): Promise<Uint8Array> => {
  const most = Math.max(
    ...Array.from({ length: budget }, (_, i) => i + 1).filter((steps) => evaluationsOf(name, steps) <= budget),
  )
  return samplerNamed(
    name,
    schedule,
    most,
  )(async (sampler) => {
    const draw = sampling({ device, denoise: best, prediction: 'x0', sampler, shape: [1, pixels], clip: false })
    const state = sampler.init(normal(key(11), [1, pixels]))
    const { x } = await draw(tensor(pictures, { shape: [count, pixels] }), key(3), { from: { state, step: 0 } })
    return Uint8Array.from(await device.read(x), (v) => Math.round(Math.min(1, Math.max(-1, v)) * 127.5 + 127.5))
  })
}

/** How often the network is asked: Heun's method asks twice within each of its steps. */
const evaluationsOf = (name: SamplerName, steps: number): number =>
  (name === 'heun' ? 2 : 1) * samplers[name].make(schedule, steps)(({ levels }) => stepsOf(levels))

/** The pictures of the figure, row by row. */
export const samplerPictures = async (device: Device): Promise<readonly Uint8Array[]> => {
  const made: Uint8Array[] = []
  for (const name of samplerRows) for (const budget of budgets) made.push(await drawn(device, name, budget))
  return made
}

/** Width and height of a picture, and how many stand in a row. */
export const samplerLayout = { size, columns: budgets.length } as const
