/** Pictures with labels as a task: a network that says what they show, measured on those that it does not see. */
import { batchAt, conditionsAt, collate, type TrainingData } from '../../../data/index.page.ts'
import type { ClassifierPurpose } from '../../../models/index.ts'
import { applyWithState, binaryCrossEntropy, crossEntropy, stateOf, type Module } from '../../../nn/index.ts'
import { range } from '../../../prelude/array.ts'
import { E } from '../../../prelude/fp.ts'
import { requireKnown, requireWhole } from '../../../prelude/options.ts'
import { printable } from '../../../prelude/printable.ts'
import { argmax } from '../../../tensor/combine.ts'
import { tensor, zeros } from '../../../tensor/create.ts'
import type { Device } from '../../../tensor/device.ts'
import { foldIn, uniform, type Key } from '../../../tensor/random.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { normalise } from '../../pictures/pixels.ts'
import type { LossWithState, Source, Task, Variables } from '../../task.ts'
import { confusionTable } from './confusion.ts'

/** Pictures u8 [N, H, W, C], and what they show, 0 or 1 [N, classes]. */
export interface Labelled {
  readonly pictures: Tensor
  readonly shown: Tensor
}

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
  readonly task: Task<Variables<P>, Labelled, ClassifierDraws>
  readonly source: Source<Variables<P>, Labelled>
  readonly network: Module<P>
  readonly names: readonly string[]
}

/** Loss and share of right answers of logits. */
const judged = (logits: Tensor, shown: Tensor, several: boolean) => {
  if (several)
    return {
      loss: binaryCrossEntropy(logits, shown),
      right: logits.greater(0).equal(shown.greater(0.5)).cast('f32').mean(),
    }
  const labels = argmax(shown)
  return { loss: crossEntropy(logits, labels), right: argmax(logits).equal(labels).cast('f32').mean() }
}

/** Logits of bytes. */
const seenBy =
  <P>(network: Module<P>) =>
  ({ params, modelState }: Variables<P>, pictures: Tensor): Tensor =>
    applyWithState(network, params, modelState, normalise(pictures))[0]

/** The loss of a batch, some of whose pictures are mirrored. */
const lossOf = <P>(
  network: Module<P>,
  several: boolean,
  mirror: boolean,
): LossWithState<Variables<P>, Labelled, ClassifierDraws> => ({
  lossAndState: ({ params, modelState }, { pictures, shown }, { key, mirrored }) => {
    const x = normalise(pictures)
    const turned = mirror ? mirrored.broadcastTo(x.shape).select(x.reverse([2]), x) : x
    const [logits, next] = applyWithState(network, params, modelState, turned, { train: true, key })
    return [judged(logits, shown, several).loss, { modelState: next }]
  },
})

const measuredOn = <P>(device: Device, network: Module<P>, held: Labelled, several: boolean) => {
  const compiled = device.compile((variables: Variables<P>, { pictures, shown }: Labelled) =>
    judged(seenBy(network)(variables, pictures), shown, several),
  )
  return async (variables: Variables<P>, average = variables) => {
    const { loss, right } = await compiled(average, held)
    return { heldOut: await device.item(loss), right: await device.item(right) }
  }
}

/** The held-out pictures, so many at most. */
const heldOutOf = (data: TrainingData, most: number, names: readonly string[]): Labelled => {
  const each = range(Math.min(most, data.heldOutCount))
  const { height, width, channels } = data
  const shown = new Float32Array(each.length * names.length)
  each.forEach((i) => {
    shown.set(data.heldOutCondition?.(i) ?? [], i * names.length)
  })
  return {
    pictures: tensor(collate(each.map((i) => data.heldOut(i))), { shape: [each.length, height, width, channels] }),
    shown: tensor(shown, { shape: [each.length, names.length] }),
  }
}

/** A text that says how right the network is, class by class. */
const tableOn = <P>(device: Device, network: Module<P>, held: Labelled, names: readonly string[], several: boolean) => {
  const compiled = device.compile((variables: Variables<P>, { pictures, shown }: Labelled) => {
    const logits = seenBy(network)(variables, pictures)
    return {
      truth: argmax(shown),
      said: argmax(logits),
      each: logits.greater(0).equal(shown.greater(0.5)).cast('f32').mean(0),
    }
  })
  return async (variables: Variables<P>): Promise<string> => {
    const { truth, said, each } = await compiled(variables, held)
    if (!several)
      return confusionTable({ names, truth: [...(await device.read(truth))], said: [...(await device.read(said))] })
    const shares = await device.read(each)
    return names.map((name, i) => `${printable(name)}: ${(100 * (shares[i] ?? NaN)).toFixed(1)} % right\n`).join('')
  }
}

const namesOf = (data: TrainingData): readonly string[] => {
  const { conditionNames: names = [] } = data
  if (names.length === 0 || data.condition === undefined || data.heldOutCondition === undefined)
    throw new RangeError(
      `classificationRun: the data '${printable(data.name)}' have no labels: give some, as dataOfSet(set, seed, { labels: folderLabels(set.names) })`,
    )
  return names
}

const requireOptions = (options: ClassificationOptions): void => {
  requireWhole('classificationRun', 'measured', options.measured ?? 256, 1)
}

/**
 * Labelled pictures as a task with its data, for {@link wholeRun}: a network learns what they show; of pictures that are held out the loss (`heldOut`)
 * and the share of right answers (`right`) are measured; sheets are tables of which class is taken for which. Running statistics of the network lie
 * beside its parameters, in checkpoints and averages too.
 *
 * @param data with labels: `dataOfSet(set, seed, { labels })`, or seas with labels
 * @param networkOf the network for pictures of this size and so many classes, from numbers in [−1, 1] to logits: a family's `build` is one
 * @throws RangeError for data without labels
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
 * await wholeRun({ config, task, source, device }, memoryStore())() // => right({ step: 20, measured: { right: 1, … }, … })
 * ```
 */
export const classificationRun = <P>(
  data: TrainingData,
  networkOf: (purpose: ClassifierPurpose) => Module<P>,
  options: ClassificationOptions = {},
): ClassificationRun<P> => {
  requireKnown('classificationRun', options, ['several', 'mirror', 'measured'])
  const names = namesOf(data)
  const { height, width, channels } = data
  const network = networkOf({ size: [height, width], channels, classes: names.length })
  requireOptions(options)
  const { several = false, mirror = false, measured = 256 } = options
  const held = heldOutOf(data, measured, names)
  return {
    network,
    names,
    task: {
      words: {
        model: `a classifier of pictures ${height}×${width}`,
        goal: `says ${names.map((name) => printable(name)).join(', ')}`,
        example: { one: 'a picture', many: 'pictures', short: 'pic' },
        measured: ({ right }) =>
          right === undefined ? [] : [`${(100 * right).toFixed(1)} % right on held-out pictures`],
      },
      losses: [{ name: 'heldOut', about: 'the loss on held-out pictures', curve: 'held out', chooses: true }],
      init: (key) => ({ params: network.init(key), modelState: stateOf(network, foldIn(key, 'state')) }),
      draws: (seed, count, first) => {
        const start = first === undefined ? {} : { start: first }
        const mirrored = uniform(foldIn(seed, 'mirror'), [count, 1, 1, 1], start).less(mirror ? 0.5 : 0)
        return { key: first === undefined ? seed : foldIn(seed, first), mirrored } // dropout draws anew in each part of a step
      },
      loss: lossOf(network, several, mirror),
      blank: (count) => ({
        pictures: zeros([count, height, width, channels], 'u8'),
        shown: zeros([count, names.length]),
      }),
    },
    source: {
      examples: (first, count) => ({
        pictures: tensor(batchAt(data, first, count), { shape: [count, height, width, channels], copy: false }),
        shown: tensor(conditionsAt(data, first, count), { shape: [count, names.length], copy: false }),
      }),
      measure: (device) => Promise.resolve(measuredOn(device, network, held, several)),
      sheets: (device) => {
        const tabled = tableOn(device, network, held, names, several)
        return (params) => async () =>
          E.right({ extension: 'txt', bytes: new TextEncoder().encode(await tabled(params)) })
      },
      files: new Map([['classes.json', new TextEncoder().encode(JSON.stringify(names))]]),
      fingerprint: `${data.name}: ${data.count} pictures, ${names.join(', ')}`,
      summary: `${data.count === Infinity ? 'endless' : data.count} pictures of ${names.length} classes, ${data.heldOutCount} held out`,
      warnings: [],
      changes: () => [],
    },
  }
}
