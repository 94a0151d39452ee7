/** What follows from the facts of a training: the size of the pictures, where the network works, which it is, and how often it sees each photograph. */
import { factorOf } from '../../../../models/registry.ts'
import { presets, type PresetName } from '../presets.ts'
import { secondsOfStage } from '../../../time/secondsOfStage.ts'
import { amountOf, networkFor, networks, type Candidate, type ladders } from './networks.ts'

/** From what is chosen. */
export interface TrainingFacts {
  /** The shorter side of each photograph that can be used, in pixels; absent for procedural seas, of which there is no end. */
  readonly sides?: readonly number[]
  /** The device, in the words of a sentence: `2 threads`, `this GPU`. */
  readonly device: string
  /** Whether it is a GPU, on which a person lets a run go on for longer. */
  readonly gpu: boolean
  /** Floating-point operations a second that training reaches on it. */
  readonly flopsPerSecond: number
  /** Settings that are named already, by their names in a configuration: what is chosen goes with them. */
  readonly given?: Readonly<Record<string, unknown>>
}

/** Seconds of a run whose time and steps are not given. */
const [usualOnGpu, usualOnProcessor] = [3 * 3600, 3600] as const

/** Operations from which on there is time for pictures of this side: with fewer, smaller ones are better. */
export const sizes = [
  [16, 0],
  [32, 4e13],
  [64, 3.5e14],
  [128, 1.5e17],
] as const

/** Operations at 64×64 from which on pixels are better than latents: an autoencoder makes pictures softer, and by then pixels have been learned. */
const enoughForPixels = 1e16

/** Times that each photograph is seen: with fewer a network learns nothing by heart, and with many more it does. */
const [untilByHeart, surelyByHeart] = [60, 200] as const

/** Photographs from which on a network does not learn them by heart in any time that people have. */
export const endless = 20_000

/** A setting that is given and is a number above 0. */
export const numberIn = (given: TrainingFacts['given'], name: string): number | undefined => {
  const value = given?.[name]
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined
}

/** The facts, with what follows from them at once. */
export interface Known extends TrainingFacts {
  readonly photographs: number
  readonly seconds: number
  readonly flops: number
  /** The side of the pictures in pixels, as if they were square. */
  readonly side: number
  /** Whether their size is given. */
  readonly isSizeGiven: boolean
  /** Why pixels have to be taken, where they have. */
  readonly changes: 'augment' | 'margin' | undefined
  /** Whether an autoencoder is given. */
  readonly isCoded: boolean
}

/** The middle of some numbers by size. */
const middleOf = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Infinity

/** The largest pictures for which there are operations, and that photographs have the pixels for. */
export const sideFor = (flops: number, photographs: readonly number[] | undefined): number => {
  const most = photographs === undefined || photographs.length === 0 ? Infinity : Math.max(32, middleOf(photographs))
  return sizes.reduce<number>((side, [larger, from]) => (flops >= from && larger <= most ? larger : side), 16)
}

/** What of the settings that are given makes pixels necessary. */
const changesIn = (given: TrainingFacts['given']): Known['changes'] =>
  (['augment', 'margin'] as const).find((name) => given?.[name] !== undefined)

/** The side that is chosen: an autoencoder is for pictures of 64 pixels or more, and pixels for no more than that. */
const freeSide = (facts: TrainingFacts, flops: number): number => {
  const side = sideFor(flops, facts.sides)
  if (facts.given?.['latent'] !== undefined) return Math.max(64, side)
  return changesIn(facts.given) === undefined ? side : Math.min(64, side)
}

export const knownOf = (facts: TrainingFacts): Known => {
  const { sides: photographs, gpu, flopsPerSecond, given } = facts
  const seconds = numberIn(given, 'time') ?? (gpu ? usualOnGpu : usualOnProcessor)
  const flops = seconds * flopsPerSecond
  const [height, width] = [numberIn(given, 'height'), numberIn(given, 'width')]
  return {
    ...facts,
    photographs: photographs?.length ?? Infinity,
    seconds,
    flops,
    side: height === undefined ? freeSide(facts, flops) : Math.sqrt(height * (width ?? height)),
    isSizeGiven: height !== undefined,
    changes: changesIn(given),
    isCoded: given?.['latent'] !== undefined,
  }
}

/** Where the network works, and the preset that says how. */
interface Route {
  readonly where: keyof typeof ladders
  readonly preset: PresetName
}

const routeOf = ({ side, flops, changes, isCoded }: Known): Route => {
  if (!isCoded && side <= 20) return { where: 'tiny', preset: 'tiny' }
  if (!isCoded && side <= 48) return { where: 'small', preset: 'photos-32' }
  const enough = flops / (side / 64) ** 2 >= enoughForPixels
  if (!isCoded && (changes !== undefined || (side <= 96 && enough))) return { where: 'pixels', preset: 'base' }
  if (side <= 96) return { where: 'latents', preset: 'latent-64' }
  return { where: 'large latents', preset: side <= 192 ? 'latent-128' : 'latent-256' }
}

/** A run as far as it is chosen. */
export interface Sketch extends Route {
  readonly known: Known
  readonly network: Candidate
  readonly batch: number
  /** Steps that there is time for, about. */
  readonly steps: number
  /** How often each photograph is seen, about; 0 where there is no end of them. */
  readonly epochs: number
}

/** Pixels of a side for a number of x. */
const factorIn = (preset: PresetName): number => {
  const chosen = presets[preset]
  return 'latent' in chosen ? chosen.latent.factor : 1
}

/** Pictures a second in training, in thousands of millions of operations. */
export const gflopsOf = ({ gflop, side }: Candidate, sideOfX: number): number => gflop * (sideOfX / side) ** 2

/** The network of a route that pictures of this size can be halved for. */
const fittingNetwork = ({ where, preset }: Route, { flops, side, photographs }: Known): Candidate => {
  const chosen = networks[networkFor(where, flops, side, amountOf(photographs))]
  const divides = side % (factorIn(preset) * factorOf(chosen.model)) === 0
  return divides || where !== 'large latents' ? chosen : networks['U64 1·2·4']
}

export const sketchOf = (known: Known): Sketch => {
  const route = routeOf(known)
  const { side, seconds, flopsPerSecond, given, photographs, isCoded } = known
  const network = fittingNetwork(route, known)
  const batch = (numberIn(given, 'batch') ?? presets[route.preset].batch) * (numberIn(given, 'accumulate') ?? 1)
  const isStaged = !isCoded && 'latent' in presets[route.preset]
  const own = 0.9 * (seconds - (isStaged ? secondsOfStage(seconds) : 0))
  const eachPicture = 1e9 * gflopsOf(network, side / factorIn(route.preset))
  const steps = numberIn(given, 'steps') ?? Math.max(1, (own * flopsPerSecond) / (batch * eachPicture))
  return { ...route, known, network, batch, steps, epochs: (steps * batch) / photographs }
}

/** What keeps a network from learning photographs by heart, where it is seen often enough for that. */
export const dropoutFor = ({ epochs, known: { photographs } }: Sketch): number => {
  if (epochs < untilByHeart || photographs >= endless) return 0
  return epochs >= surelyByHeart && photographs <= 2000 ? 0.2 : 0.1
}

/** Whether pictures are changed, of which the network is told. Their latents cannot be. */
export const isChanging = ({ where, epochs, known: { photographs, changes } }: Sketch): boolean =>
  changes === undefined && (where === 'small' || where === 'pixels') && epochs >= untilByHeart && photographs < endless
