/** A λ(t) that is learned with the network: a monotone function of few parameters (Kingma et al. 2021, appendix H). */
import { requireKnown, requireWhole } from '../../prelude/options.ts'
import { normal } from '../../nn/init.ts'
import type { Module } from '../../nn/module.ts'
import { softplus } from '../../tensor/activations.ts'
import { foldIn } from '../../tensor/random.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** The parameters of {@link learnedLogSnr}: of each unit [K], before softplus where it must not be negative. */
export interface LearnedLogSnrParams {
  readonly weight: Tensor
  readonly slope: Tensor
  readonly place: Tensor
}

/** What {@link learnedLogSnr} takes. */
export interface LearnedLogSnrOptions {
  /** λ at t = 0; default 13.3, as Kingma et al. begin. */
  readonly most?: number
  /** λ at t = 1; default −5. */
  readonly least?: number
  /** K, default 16. */
  readonly units?: number
}

/**
 * `t [N] in [0, 1] → λ [N]`, falling from `most` to `least` whatever the parameters:
 *
 *     m(t) = t + Σ softplus(w)·sigmoid(10·softplus(k)·(t − p)),  λ = most − (most − least)·(m(t) − m(0))/(m(1) − m(0))
 *
 * Its values at even times make the levels of a walk: `logSnrOf`.
 *
 * @example
 * ```ts
 * import { key, tensor } from 'fathom'
 * import { learnedLogSnr } from 'fathom/diffusion'
 *
 * const module = learnedLogSnr()
 * module.apply(module.init(key(0)), tensor([0, 1])) // => [13.3, -5]
 * ```
 */
export const learnedLogSnr = (options: LearnedLogSnrOptions = {}): Module<LearnedLogSnrParams> => {
  requireKnown('learnedLogSnr', options, ['most', 'least', 'units'])
  const { most = 13.3, least = -5, units = 16 } = options
  requireWhole('learnedLogSnr', 'units', units, 1)
  if (!(most > least && Number.isFinite(most - least)))
    throw new RangeError(`learnedLogSnr: λ falls from ${most} to ${least}; least must be below most, and both finite`)
  return {
    init: (key) => ({
      weight: normal([units])(foldIn(key, 'weight')).sub(3),
      slope: normal([units])(foldIn(key, 'slope')),
      place: normal([units])(foldIn(key, 'place')).mul(0.3).add(0.5),
    }),
    apply: ({ weight, slope, place }, t) => {
      const grown = (x: Tensor): Tensor => {
        const each = x.reshape([x.size, 1]).sub(place).mul(softplus(slope).mul(10)).sigmoid().mul(softplus(weight))
        return x.add(each.sum(1).reshape(x.shape))
      }
      const [first, last] = [grown(t.mul(0)), grown(t.mul(0).add(1))]
      return grown(t)
        .sub(first)
        .div(last.sub(first))
        .mul(least - most)
        .add(most)
    },
  }
}
