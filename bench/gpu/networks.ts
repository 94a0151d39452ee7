/** The networks that are trained: their inputs, and their losses, the same on every side. */
import { foldIn, key, normal, tensor, uniform, type Tensor } from '../../src/index.ts'
import type { NameMap } from '../../src/io/index.ts'
import { lucidrainsNames, unet, type UnetParams } from '../../src/models/index.ts'
import { networkName, type NetworkCase } from './cases.ts'
import { publishedUnet, type PublishedParams } from './publishedUnet.ts'

/** Inputs by name; images are [N, H, W, C]. */
export type Inputs = Readonly<Record<string, Tensor>>

/** A network to be trained. */
export interface Network<P> {
  readonly name: string
  /** For file names. */
  readonly id: 'published' | 'lucidrains'
  /** Whether a step updates weights, or is the forward and the backward pass alone, as it was published. */
  readonly updates: boolean
  readonly init: () => P
  /** Inputs for a batch; those of a smaller one are other images. */
  readonly inputs: (batch: number) => Inputs
  readonly loss: (params: P, inputs: Inputs) => Tensor
  /** PyTorch's names and axes. */
  readonly namesOf: (params: P) => NameMap
}

const input = (inputs: Inputs, name: string): Tensor => {
  const x = inputs[name]
  if (x === undefined) throw new Error(`the inputs lack ${name}`)
  return x
}

/** Of the mean squared error against noise. */
export const publishedNetwork = (given: NetworkCase): Network<PublishedParams> => {
  const model = publishedUnet(given)
  const { size } = given
  return {
    name: networkName(given),
    id: 'published',
    updates: false,
    init: () => model.init(key(0)),
    inputs: (batch) => ({
      x: normal(foldIn(key(1), 'x'), [batch, size, size, 4]),
      target: normal(foldIn(key(1), 'target'), [batch, size, size, 4]),
    }),
    loss: (params, inputs) => model.apply(params, input(inputs, 'x')).sub(input(inputs, 'target')).square().mean(),
    namesOf: () => ({ layout: [{ layout: 'HWIO->OIHW' }] }),
  }
}

/** Of the mean squared error in v, of images that are noised to times all over the schedule. */
export const lucidrainsNetwork = (given: NetworkCase): Network<UnetParams> => {
  const { width, multipliers, size } = given
  const model = unet({ width, multipliers })
  return {
    name: networkName(given),
    id: 'lucidrains',
    updates: true,
    init: () => model.init(key(0)),
    inputs: (batch) => {
      const t = Float32Array.from({ length: batch }, (_, i) => (i * 997) % 1000)
      const angle = t.map((time) => ((time / 1000) * Math.PI) / 2)
      return {
        x0: uniform(foldIn(key(1), 'x0'), [batch, size, size, 3])
          .mul(2)
          .sub(1),
        epsilon: normal(foldIn(key(1), 'epsilon'), [batch, size, size, 3]),
        t: tensor(t),
        signal: tensor(angle.map(Math.cos), { shape: [batch, 1, 1, 1] }),
        noise: tensor(angle.map(Math.sin), { shape: [batch, 1, 1, 1] }),
      }
    },
    loss: (params, inputs) => {
      const [x0, epsilon] = [input(inputs, 'x0'), input(inputs, 'epsilon')]
      const [signal, noise] = [input(inputs, 'signal'), input(inputs, 'noise')]
      const xt = x0.mul(signal).add(epsilon.mul(noise))
      const target = epsilon.mul(signal).sub(x0.mul(noise))
      return model
        .apply(params, { x: xt, t: input(inputs, 't') })
        .sub(target)
        .square()
        .mean()
    },
    namesOf: (params) => lucidrainsNames(params),
  }
}
