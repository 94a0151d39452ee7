/** The judge in small, for a model that is still being trained: copies among some pictures, and one distance. What stays the same is prepared once. */
import { requireKnown } from '../prelude/options.ts'
import { hostFold, hostKey } from '../prelude/threefry.ts'
import type { Device } from '../tensor/device.ts'
import { copiesAmong, originalsOf } from './copies.ts'
import { featureSpaces } from './features/registry.ts'
import type { FeatureSpace } from './features/space.ts'
import { whitening } from './features/whitening.ts'
import type { Share } from './judgement.ts'
import { counted, shareOf, usualCopies } from './memory.ts'
import { shuffle } from './permutations.ts'
import { asRgb, pick, type Pictures } from './pictures.ts'
import { kernelDistance } from './scores/mmd.ts'

/** What is watched by. */
export interface WatchOptions {
  /** With the groups of its split. */
  readonly training: Pictures
  readonly heldOut: Pictures
  /** Where the distance is measured; default `random`. */
  readonly space?: FeatureSpace
  /** Which pictures of training are compared with; default 0. */
  readonly seed?: number
}

/** What was found of some pictures. */
export interface Watched {
  /** Copies of pictures of training, beside how often real pictures would be called so, as in a judgement. */
  readonly copies: Share
  /**
   * The kernel distance from pictures of training, and that of those held out, which nothing can be asked to be below; absent where fewer than
   * 48 are trained on or three held out.
   */
  readonly kernel?: { readonly generated: number; readonly real: number }
}

/** Pictures of training that are compared with, and those by which features are whitened, at most. */
const [compared, fitted] = [64, 192] as const

/** As few pictures of training as a judgement takes. */
const leastTraining = 48

/** The kernel distance of pictures from some of training, and that of those held out; undefined where there are too few. */
const distanceOn = async (
  device: Device,
  { training, heldOut, space = featureSpaces.random, seed = 0 }: WatchOptions,
): Promise<((pictures: Pictures) => Promise<NonNullable<Watched['kernel']>>) | undefined> => {
  const all = training.pictures.length
  if (all < leastTraining || heldOut.pictures.length < 3) return undefined
  const order = shuffle(hostFold(hostKey(seed), 1), all)
  const count = Math.min(compared, Math.floor(all / 3))
  const points = (set: Pictures) => space.features(device, set)
  const whiten = whitening(await points(pick(training, order.slice(count, count + fitted))))
  const { white } = whiten(await points(pick(training, order.slice(0, count))))
  const far = async (set: Pictures): Promise<number> => kernelDistance(whiten(await points(set)).white, white, []).value
  const real = await far(heldOut)
  return async (pictures) => ({ generated: await far(pictures), real })
}

/**
 * Prepares a watch over what a model draws.
 *
 * @returns a function of at least three pictures, of the size of those of training
 * @throws RangeError for sets that are no pictures of one size, or pictures of training of fewer than two groups
 * @example
 * ```ts
 * import { seas } from 'fathom/data'
 * import { watchOn } from 'fathom/evaluation'
 *
 * const data = seas({ seed: 1, size: 16 })
 * const of = (first: number, count: number) => ({
 *   height: 16, width: 16, channels: 3, pictures: Array.from({ length: count }, (_, i) => data.image(first + i)),
 * })
 * const watch = await watchOn(device, { training: of(0, 48), heldOut: of(100, 8) })
 * const { copies } = await watch(of(5, 4))
 * copies.generated // => { found: 4, all: 4 }
 * copies.usual // => { found: 0, all: 56 }
 * ```
 */
export const watchOn = async (
  device: Device,
  options: WatchOptions,
): Promise<(pictures: Pictures) => Promise<Watched>> => {
  requireKnown('watchOn', options, ['training', 'heldOut', 'space', 'seed'])
  const [training, heldOut] = [asRgb(options.training), asRgb(options.heldOut)]
  const originals = originalsOf(training)
  const some = shuffle(hostFold(hostKey(options.seed ?? 0), 0), training.pictures.length).slice(0, compared)
  const usual = usualCopies({ training, heldOut }, originals, some)
  const distance = await distanceOn(device, { ...options, training, heldOut })
  return async (pictures) => {
    const drawn = asRgb(pictures)
    const found = counted(copiesAmong(originals, drawn).map(({ copy }) => copy))
    return {
      copies: shareOf(found, usual),
      ...(distance !== undefined && { kernel: await distance(drawn) }),
    }
  }
}
