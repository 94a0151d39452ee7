/**
 * The judge: how far generated pictures are from real ones, in several ways that fail in different places, each beside the same number for
 * sets of known quality, and each with the chance that it is chance.
 */
import { requireKnown } from '../prelude/options.ts'
import { at } from '../prelude/array.ts'
import { hostFold, hostKey, type HostKey } from '../prelude/threefry.ts'
import type { Device } from '../tensor/device.ts'
import { blurredPictures, copiedPictures, gaussianPictures } from './anchors.ts'
import { copiesAmong, originalsOf } from './copies.ts'
import { featureSpaces } from './features/registry.ts'
import type { FeatureSpace } from './features/space.ts'
import type { Judgement, Memory, SetName, Test } from './judgement.ts'
import { memoryOf, nearestOf } from './memory.ts'
import { assignments, holm, requirePermutations, shuffle } from './permutations.ts'
import { asRgb, type Pictures } from './pictures.ts'
import { factors } from './scenes/factors.ts'
import { scoreSet, type Seen, type SetScores } from './scores/scoreSet.ts'
import { groundOf, part, type Ground } from './seen.ts'

/** What is judged, and by what. */
export interface JudgeOptions {
  readonly generated: Pictures
  /** What the model was trained on, or much of it: three times as many as generated, else fewer are compared. With the groups of its split. */
  readonly training: Pictures
  /** What the model has not seen. With the groups of its split. */
  readonly heldOut: Pictures
  /** Default: all of {@link featureSpaces}. */
  readonly spaces?: readonly FeatureSpace[]
  /** From which everything random is drawn; default 0. */
  readonly seed?: number
  /** Random assignments for each p-value, at least 19; default 999. */
  readonly permutations?: number
  /** Whether sets of known quality are made and scored as well; default true. Real pictures beside real ones always are. */
  readonly anchors?: boolean
  /** What an autoencoder makes of pictures, where the model works in its latents: nothing it draws can be better. */
  readonly reconstruct?: (pictures: Pictures) => Promise<Pictures>
  /** Told what is being done. */
  readonly onProgress?: (doing: string) => void
}

const optionNames = [
  'generated',
  'training',
  'heldOut',
  'spaces',
  'seed',
  'permutations',
  'anchors',
  'reconstruct',
  'onProgress',
] as const

/** Random assignments for the sets of known quality, whose p-values are there to show what the tests can see. */
const fewPermutations = 199

/** A set needs so many pictures. */
const leastPictures = 16

/** Streams of the seed. */
const stream = { order: 0, labels: 1, patches: 2, gaussian: 3, copied: 4, memory: 5 } as const

const requirePictures = ({ generated, training, heldOut }: JudgeOptions): void => {
  for (const [name, set] of Object.entries({ training, heldOut }))
    if (set.height !== generated.height || set.width !== generated.width)
      throw new RangeError(
        `judge: the pictures of ${name} are ${set.height}×${set.width} and the generated ones ${generated.height}×${generated.width}: open them at the size of the model`,
      )
  if (heldOut.pictures.length === 0)
    throw new RangeError('judge: no picture is held out: give some that the model has not seen')
  const [most, needed] = [generated.pictures.length, training.pictures.length]
  if (most < leastPictures || needed < 3 * leastPictures)
    throw new RangeError(
      `judge: ${most} generated pictures and ${needed} of training are too few to judge by: at least ${leastPictures} and ${3 * leastPictures} are needed, and 256 and 768 are good`,
    )
}

/** All p-values of a set by name, adjusted together. */
const testsOf = ({ spaces, levels, factors: found }: SetScores, memory?: Memory): readonly Test[] => {
  const named: readonly (readonly [string, number])[] = [
    ...Object.entries(spaces).flatMap(([name, { kernel, nearest, manifold }]) => [
      [`kernel distance (${name})`, kernel.p] as const,
      [`nearest neighbour (${name})`, nearest.p] as const,
      [`coverage (${name})`, manifold.p] as const,
    ]),
    ...levels.map(({ side, p }) => [`patches at ${side} pixels`, p] as const),
    ...found.map(({ factor, p }) => [factors[factor].label, p] as const),
    ...(memory === undefined
      ? []
      : [
          ['copies', memory.copies.p] as const,
          ['repeats', memory.repeats.p] as const,
          ['nearer to training', memory.nearer.p] as const,
        ]),
  ]
  const adjusted = holm(named.map(([, p]) => p))
  return named.map(([name, p], i) => ({ name, p, adjusted: at(adjusted, i) }))
}

/** The sets of known quality, by name; each as many pictures as are compared. */
const anchorsOf = async (
  { reconstruct, anchors = true }: JudgeOptions,
  { training, other, key }: { readonly training: Seen; readonly other: Seen; readonly key: HostKey },
  eyes: (pictures: Pictures) => Promise<Seen>,
): Promise<readonly (readonly [SetName, Seen])[]> => {
  if (!anchors) return []
  const count = other.pictures.pictures.length
  const rebuilt = reconstruct === undefined ? undefined : asRgb(await reconstruct(other.pictures))
  return [
    ...(rebuilt === undefined ? [] : [['reconstructed', await eyes(rebuilt)] as const]),
    ['gaussian', await eyes(gaussianPictures(training.pictures, count, hostFold(key, stream.gaussian)))],
    ['blurred', await eyes(blurredPictures(other.pictures, 1))],
    ['copied', await eyes(copiedPictures(training.pictures, count, hostFold(key, stream.copied)))],
  ]
}

/** The scores of all sets, by name. */
const scoresOf = async (
  options: JudgeOptions,
  { training, real, other, eyes }: Ground,
  generated: Seen,
  key: HostKey,
  permutations: number,
): Promise<Judgement['sets']> => {
  const { onProgress } = options
  const count = real.pictures.pictures.length
  const permuted = assignments(hostFold(key, stream.labels), [count, count], permutations)
  const score = (set: Seen, some = permutations): SetScores =>
    scoreSet(real, set, hostFold(key, stream.patches), permuted.slice(0, some))
  const compared = part(
    generated,
    shuffle(hostFold(key, stream.order), generated.pictures.pictures.length).slice(0, count),
  )
  onProgress?.('comparing generated pictures with real ones')
  const sets = { generated: score(compared), real: score(other) }
  const anchors = await anchorsOf(options, { training, other, key }, eyes)
  const scored: [SetName, SetScores][] = []
  for (const [name, set] of anchors) {
    onProgress?.(`comparing the set '${name}' with real ones`)
    scored.push([name, score(set, fewPermutations)])
  }
  return { ...Object.fromEntries(scored), ...sets }
}

/**
 * Judges generated pictures by those a model was trained on and those it has not seen. The same seed gives the same numbers on one device.
 *
 * @throws RangeError for sets of different sizes of pictures, or of too few
 * @example
 * ```ts
 * import { seas } from 'fathom/data'
 * import { judge } from 'fathom/evaluation'
 *
 * const data = seas({ seed: 1, size: 16 })
 * const of = (first: number, count: number) => ({
 *   height: 16, width: 16, channels: 3, pictures: Array.from({ length: count }, (_, i) => data.image(first + i)),
 * })
 * const judgement = await judge(device, { generated: of(900, 16), training: of(0, 48), heldOut: of(100, 8), permutations: 99 })
 * judgement.count // => 16
 * judgement.memory.copies.generated // => { found: 0, all: 16 }
 * ```
 */
export const judge = async (device: Device, options: JudgeOptions): Promise<Judgement> => {
  requireKnown('judge', options, optionNames)
  const { seed = 0, permutations = 999, onProgress, spaces = Object.values(featureSpaces) } = options
  const sets = {
    generated: asRgb(options.generated),
    training: asRgb(options.training),
    heldOut: asRgb(options.heldOut),
  }
  requirePermutations('judge', permutations)
  requirePictures({ ...options, ...sets })
  const key = hostKey(seed)
  onProgress?.(`looking at ${sets.training.pictures.length} pictures of training`)
  const ground = await groundOf(
    device,
    sets.training,
    sets.generated.pictures.length,
    spaces,
    hostFold(key, stream.order),
  )
  const generated = await ground.eyes(sets.generated)
  const scores = await scoresOf({ ...options, ...sets }, ground, generated, key, permutations)
  onProgress?.('seeking copies')
  const originals = originalsOf(sets.training)
  const findings = copiesAmong(originals, sets.generated)
  const memory = memoryOf(sets, originals, findings, { key: hostFold(key, stream.memory), permutations })
  const [first = ''] = ground.training.points.keys()
  const nearest = nearestOf(
    findings,
    generated.points.get(first)?.standard,
    ground.training.points.get(first)?.standard,
  )
  return {
    version: 1,
    height: sets.generated.height,
    width: sets.generated.width,
    count: ground.real.pictures.pictures.length,
    training: sets.training.pictures.length,
    heldOut: sets.heldOut.pictures.length,
    seed,
    permutations,
    spaces: spaces.map(({ name, version, about }) => ({ name, version, about })),
    sets: scores,
    memory,
    tests: testsOf(scores.generated, memory),
    nearest: nearest.map((found, sample) => ({ ...found, sample })).toSorted((a, b) => a.ratio - b.ratio),
  }
}
