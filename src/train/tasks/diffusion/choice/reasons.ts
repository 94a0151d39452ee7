/** Why a training is chosen, in sentences for a person. */
import {
  dropoutFor,
  endless,
  gflopsOf,
  isChanging,
  numberIn,
  sideFor,
  sizes,
  type Known,
  type Sketch,
  type TrainingFacts,
} from './sketch.ts'
import { amountOf, networkFor, networks } from './networks.ts'

/** A time as people say it. */
const inWords = (seconds: number): string => {
  const [hours, minutes] = [seconds / 3600, seconds / 60]
  if (hours >= 1.5) return `${Number(hours.toFixed(1))} hours`
  if (hours >= 1) return hours === 1 ? '1 hour' : `${Number(hours.toFixed(1))} hours`
  return minutes >= 1 ? `${Math.round(minutes)} minutes` : `${Math.round(seconds)} seconds`
}

const times = (n: number): string =>
  n < 1.5 ? 'once' : `${(n < 10 ? Math.round(n) : Number(n.toPrecision(2))).toLocaleString('en-US')} times`

/** How often each photograph would be seen in pixels of this side, by a network that is usual there. */
const epochsInPixels = ({ flops, side, photographs }: Known): number =>
  (0.9 * flops) / (1e9 * gflopsOf(networks['U64 1·2·2·4'], side) * photographs)

/** Why the pictures are of this size. */
const sizeReason = ({ known, where }: Sketch): string => {
  const { side, flops, seconds, device, isSizeGiven, sides: photographs, flopsPerSecond, changes } = known
  if (isSizeGiven) return 'as asked'
  if (photographs !== undefined && changes === undefined && sideFor(flops, undefined) > side)
    return 'most photographs are no larger'
  if (where === 'tiny' || where === 'small') {
    const [larger, from] = where === 'tiny' ? sizes[1] : sizes[2]
    return `for ${larger}×${larger} it would take ${inWords(Math.ceil(from / flopsPerSecond / 60) * 60)} on ${device}`
  }
  return `there is time for them, ${inWords(seconds)} on ${device}`
}

/** Why the network works where it does; undefined where nobody would expect anything else. */
const placeReason = ({ known, where, epochs }: Sketch): string | undefined => {
  const { changes, isCoded, photographs } = known
  if (where === 'latents' || where === 'large latents') {
    if (isCoded) return 'on the latents of the autoencoder that is given'
    const why = Number.isFinite(photographs)
      ? `in pixels each photograph would be seen ${times(epochsInPixels(known))}, on latents ${times(epochs)}`
      : 'a step on latents takes a fraction of one in pixels'
    return `on latents of an autoencoder of their own, which is trained first: ${why}`
  }
  if (changes !== undefined) return `in pixels: --${changes} changes pictures, and latents cannot be changed`
  return where === 'pixels'
    ? 'in pixels: there is time enough, and an autoencoder would make pictures softer'
    : undefined
}

/** Why the network is of its size: by the amount of photographs only where there would be time for a larger one. */
const amounts = {
  few: 'a small one, since few photographs are soon learned by heart',
  some: 'not the largest, since some hundreds of photographs are soon learned by heart',
  many: 'as large as there is time for',
} as const

const networkReason = ({ where, network, known: { flops, side, photographs } }: Sketch): string => {
  const largest = networks[networkFor(where, flops, side, 'many')]
  return amounts[largest.gflop === network.gflop ? 'many' : amountOf(photographs)]
}

/** What is done against learning by heart, and why. */
const heartReason = (sketch: Sketch): readonly string[] => {
  const { epochs, known } = sketch
  const { photographs } = known
  if (!Number.isFinite(photographs)) return []
  const dropout = dropoutFor(sketch)
  const done = [
    dropout > 0 ? `dropout ${dropout}` : 'no dropout',
    ...(isChanging(sketch) ? ['pictures are mirrored, scaled, turned and moved'] : []),
  ].join(', ')
  const seen = `each photograph is seen about ${times(epochs)}`
  if (photographs >= endless) return [`${done}: there are enough photographs`]
  return [
    dropout > 0
      ? `${done}: ${seen}, often enough to be learned by heart`
      : `${done}: ${seen}, too seldom to be learned by heart`,
  ]
}

/** A sentence for each decision. */
export const reasonsOf = (sketch: Sketch): readonly string[] => {
  const { known, network } = sketch
  const { seconds, gpu, given, side } = known
  const place = placeReason(sketch)
  const isChosen = numberIn(given, 'time') === undefined && numberIn(given, 'steps') === undefined
  const { width, multipliers } = network.model
  const size = known.isSizeGiven ? showSize(given) : `${side}×${side}`
  return [
    ...(isChosen
      ? [`${inWords(seconds)}, as is usual on ${gpu ? 'a GPU' : 'a processor'}: --time says otherwise`]
      : []),
    ...(place === undefined
      ? [`pictures of ${size}, in pixels: ${sizeReason(sketch)}`]
      : [`pictures of ${size}: ${sizeReason(sketch)}`, place]),
    `a U-Net of width ${width}, stages ${multipliers.join('·')}: ${networkReason(sketch)}`,
    ...heartReason(sketch),
  ]
}

const showSize = (given: TrainingFacts['given']): string => {
  const height = numberIn(given, 'height') ?? 0
  return `${height}×${numberIn(given, 'width') ?? height}`
}

/** What a person should know of the photographs. */
export const notesOf = ({ known: { sides: photographs = [], side } }: Sketch): readonly string[] => {
  const smaller = photographs.filter((each) => each < side).length
  return smaller * 20 < photographs.length || smaller === 0
    ? []
    : [
        `${smaller} of ${photographs.length} photographs are smaller than ${Math.round(side)} pixels: they are enlarged, and soft; --size or other photographs help`,
      ]
}
