/** Pictures with labels as a task: a network that says what they show, measured on those that it does not see. */
import type { TrainingData } from '../../../data/index.page.ts'
import type { ClassifierPurpose } from '../../../models/index.ts'
import type { Module } from '../../../nn/index.ts'
import { requireKnown, requireWhole } from '../../../prelude/options.ts'
import { printable } from '../../../prelude/printable.ts'
import { zeros } from '../../../tensor/create.ts'
import { foldIn, uniform, type Key } from '../../../tensor/random.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { normalise } from '../../pictures/pixels.ts'
import type { Measured, Source, Task } from '../../task.ts'
import { classificationSource } from './classificationSource.ts'
import { judged } from './judged.ts'
import type { Labelled } from './labelled.ts'

/** What a step draws from: dropout, and which pictures are mirrored. */
export interface ClassifierDraws {
  readonly key: Key
  /** bool [N, 1, 1, 1]. */
  readonly mirrored: Tensor
}

/** How pictures are classified. */
export interface ClassificationOptions {
  /** Whether a picture may show several things at once; default false: it shows one. */
  readonly several?: boolean
  /** Whether half of the pictures are mirrored, left to right; default false. */
  readonly mirror?: boolean
  /** Held-out pictures that are measured on, at most; default 256. */
  readonly measured?: number
}

/** A task with its data. */
export interface ClassificationRun<P> {
  readonly task: Task<P, Labelled, ClassifierDraws>
  readonly source: Source<P, Labelled>
  readonly network: Module<P>
  readonly names: readonly string[]
}

/** What a classifier's task is of. */
export interface ClassifierTaskParts<P> {
  readonly network: Module<P>
  /** What a person calls the network. */
  readonly title: string
  /** Height, width and channels of the pictures. */
  readonly picture: readonly [height: number, width: number, channels: number]
  readonly names: readonly string[]
  readonly several: boolean
  readonly mirror: boolean
}

/** So many names are told one by one. */
const toldNames = 6

const goalOf = (names: readonly string[]): string => {
  const told = names.slice(0, names.length > toldNames ? toldNames - 1 : toldNames).map((name) => printable(name))
  return `says ${told.join(', ')}${names.length > told.length ? ` and ${names.length - told.length} more` : ''}`
}

/** What was measured, in words: the share of right answers, and by how much they surprise. */
const measuredInWords = ({ accuracy, heldOut }: Measured): readonly string[] => {
  if (accuracy === undefined) return []
  const short = `held-out accuracy ${(100 * accuracy).toFixed(1)} %`
  return heldOut === undefined ? [short] : [short, `${short} (loss ${heldOut.toFixed(4)})`]
}

/** The task of a network that says what pictures show. */
export const classificationTask = <P>({
  network,
  title,
  picture,
  names,
  several,
  mirror,
}: ClassifierTaskParts<P>): Task<P, Labelled, ClassifierDraws> => ({
  words: {
    model: `${title} ${picture[0]}×${picture[1]}`,
    goal: goalOf(names),
    example: { one: 'a picture', many: 'pictures', short: 'pic' },
    sheet: 'table of classes',
    measured: measuredInWords,
  },
  losses: [{ name: 'heldOut', about: 'the loss on held-out pictures', curve: 'held out', chooses: true }],
  init: network.init,
  draws: (seed, count, first) => {
    const start = first === undefined ? {} : { start: first }
    const mirrored = uniform(foldIn(seed, 'mirror'), [count, 1, 1, 1], start).less(mirror ? 0.5 : 0)
    return { key: first === undefined ? seed : foldIn(seed, first), mirrored } // dropout draws anew in each part of a step
  },
  loss: (params, { pictures, shown }, { key, mirrored }) => {
    const x = normalise(pictures)
    const turned = mirror ? mirrored.broadcastTo(x.shape).select(x.reverse([2]), x) : x
    return judged(network.apply(params, turned, { train: true, key }), shown, several).loss
  },
  blank: (count) => ({
    pictures: zeros([count, ...picture], 'u8'),
    shown: zeros([count, names.length]),
  }),
})

const namesOf = (data: TrainingData): readonly string[] => {
  const { conditionNames: names = [] } = data
  if (names.length === 0 || data.condition === undefined || data.heldOutCondition === undefined)
    throw new RangeError(
      `classificationRun: the data '${printable(data.name)}' have no labels: give some, as dataOfSet(set, seed, { labels: folderLabels(set.names) })`,
    )
  return names
}

const requireOptions = (network: { readonly state?: unknown }, options: ClassificationOptions): void => {
  requireKnown('classificationRun', options, ['several', 'mirror', 'measured'])
  requireWhole('classificationRun', 'measured', options.measured ?? 256, 1)
  if (network.state !== undefined)
    throw new RangeError(
      "classificationRun: the network keeps running statistics, for which this task has no place: build it with norm: 'group', or train it by trainStep, which has",
    )
}

/**
 * Labelled pictures as a task with its data, for {@link wholeRun}: a network learns what they show; of pictures that are held out the loss (`heldOut`)
 * and the share of right answers (`accuracy`) are measured; sheets are tables of which class is taken for which.
 *
 * @param data with labels: `dataOfSet(set, seed, { labels })`, or seas with labels
 * @param networkOf the network for pictures of this size and so many classes, from numbers in [−1, 1] to logits: a family's `build` is one
 * @throws RangeError for data without labels, and for a network with running statistics
 * @example
 * ```ts
 * import { dataOfSet, folderLabels } from 'fathom/data'
 * import { resnetFamily } from 'fathom/models'
 * import { classificationRun, memoryStore, usualRun, wholeRun } from 'fathom/train'
 *
 * const pixels = (i: number) => new Uint8Array(64).fill(i % 2 === 0 ? 30 : 220) // dark and light pictures
 * const set = { name: 'greys', height: 8, width: 8, channels: 1, count: 40, pixels } as const
 * const labels = folderLabels(Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? `night/${i}.png` : `day/${i}.png`)))
 * const network = { blocks: [1], width: 4 }
 * const { task, source } = classificationRun(dataOfSet(set, 0, { labels }), (purpose) => resnetFamily.build(network, purpose))
 * const config = usualRun({ steps: 20, batch: 8, learningRate: 0.02, ema: 0 })
 * await wholeRun({ config, task, source, device }, memoryStore())() // => right({ step: 20, measured: { accuracy: 1, … }, … })
 * ```
 */
export const classificationRun = <P>(
  data: TrainingData,
  networkOf: (purpose: ClassifierPurpose) => Module<P>,
  options: ClassificationOptions = {},
): ClassificationRun<P> => {
  const names = namesOf(data)
  const { height, width, channels } = data
  const network = networkOf({ size: [height, width], channels, classes: names.length })
  requireOptions(network, options)
  const { several = false, mirror = false, measured = 256 } = options
  const title = 'a classifier of pictures'
  return {
    network,
    names,
    task: classificationTask({ network, title, picture: [height, width, channels], names, several, mirror }),
    source: {
      ...classificationSource({
        data,
        network,
        names,
        several,
        measured,
        fingerprint: `${data.name}: ${data.count} pictures, ${names.join(', ')}`,
        summary: `${data.count === Infinity ? 'endless' : data.count} pictures of ${names.length} classes, ${data.heldOutCount} held out`,
        warnings: [],
        changes: () => [],
      }),
      files: new Map([['classes.json', new TextEncoder().encode(JSON.stringify(names))]]),
    },
  }
}
