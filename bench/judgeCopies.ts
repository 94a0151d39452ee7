/**
 * How well copies are told from other pictures: every picture of a folder is held out once, with its group, and must not be called a copy; a
 * hundred pictures of training, in each disguise, must.
 */
import { loadAutoencoder } from '../src/train/tasks/autoencoder/loadAutoencoder.node.ts'
import { asBytes, eachPicture } from '../src/train/tasks/autoencoder/reconstructing.ts'
import { copiesAmong, originalsOf, type CopyFinding, type Originals } from '../src/evaluation/copies.ts'
import { pick, type Pictures } from '../src/evaluation/pictures.ts'
import { shuffle } from '../src/evaluation/permutations.ts'
import { nearDuplicates, type TrainingData } from '../src/data/index.ts'
import type { Device } from '../src/index.ts'
import { at, range } from '../src/prelude/array.ts'
import { hostKey } from '../src/prelude/threefry.ts'
import { disguises } from '../test/evaluation/faults.ts'

/** The set with the groups of its pictures. */
export const withGroups = (set: Pictures): Pictures => ({
  ...set,
  groups: nearDuplicates({ ...set, count: set.pictures.length, pixels: (i) => at(set.pictures, i) }).groups,
})

/** Parts of the groups, each of which is held out in turn. */
const folds = 5

/** Places of training and of what is held out, for each fold. */
const foldsOf = (
  groups: readonly number[],
  seed: number,
): readonly (readonly [readonly number[], readonly number[]])[] => {
  const names = [...new Set(groups)]
  const order = shuffle(hostKey(seed), names.length)
  const foldOf = new Map(order.map((place, i) => [at(names, place), i % folds]))
  return range(folds).map((fold) => {
    const places = range(groups.length)
    const held = (i: number): boolean => foldOf.get(at(groups, i)) === fold
    return [places.filter((i) => !held(i)), places.filter(held)] as const
  })
}

const reconstructedBy = async (device: Device, place: string, set: Pictures): Promise<Pictures> => {
  const found = await loadAutoencoder(place)()
  if (found._tag === 'Left') throw new Error(found.left.message)
  const [encode, decode] = [found.right.encoderOn(device), found.right.decoderOn(device)]
  const size: Pick<TrainingData, 'height' | 'width' | 'channels'> = set
  const made = await eachPicture(device, size, set.pictures, async (batch) => decode(await encode(batch)))
  return { ...set, pictures: made.map(asBytes) }
}

const planted = 100

/** A row: how many are called copies, how many of the right picture, and the largest ratio of ninety-five of a hundred. */
const rowOf = (name: string, found: readonly CopyFinding[], right = ''): readonly string[] => {
  const ratios = found.map(({ ratio }) => ratio).toSorted((a, b) => a - b)
  return [
    name,
    `${found.filter(({ copy }) => copy).length} of ${found.length}`,
    right,
    at(ratios, Math.floor(0.01 * ratios.length)).toFixed(2),
    at(ratios, Math.ceil(0.95 * ratios.length) - 1).toFixed(2),
  ]
}

/** The table of copies. @param vae a run of an autoencoder, by which copies are disguised as well */
export const copyRows = async (
  device: Device,
  set: Pictures,
  seed: number,
  vae: string | undefined,
): Promise<readonly (readonly string[])[]> => {
  const parts = foldsOf(set.groups ?? range(set.pictures.length), seed)
  const unseen: CopyFinding[] = []
  let first: readonly [Originals, Pictures] | undefined
  for (const [training, held] of parts) {
    const originals = originalsOf(pick(set, training))
    first ??= [originals, pick(set, training.slice(0, planted))]
    unseen.push(...copiesAmong(originals, pick(set, held)))
  }
  if (first === undefined) return []
  const [originals, some] = first
  const sets = Object.entries(disguises).map(([name, disguise]) => [name, disguise(some, hostKey(seed))] as const)
  const made = vae === undefined ? [] : [[`reconstructed by ${vae}`, await reconstructedBy(device, vae, some)] as const]
  return [
    ['copies of training', 'called copies', 'right one', 'ratio, 1 %', '95 %'],
    ...[...sets, ...made].map(([name, pictures]) => {
      const found = copiesAmong(originals, pictures)
      return rowOf(name, found, String(found.filter(({ place }, i) => place === i).length))
    }),
    rowOf('held out, whole groups', unseen),
  ]
}
