/** Labelled pictures as the data of a classifier: batches, the measurement on those held out, and tables of which class is taken for which. */
import { batchAt, collate, conditionsAt, type TrainingData } from '../../../data/index.page.ts'
import { applyWithState, type Module } from '../../../nn/index.ts'
import { range } from '../../../prelude/array.ts'
import { E } from '../../../prelude/fp.ts'
import { printable } from '../../../prelude/printable.ts'
import { argmax } from '../../../tensor/combine.ts'
import { tensor } from '../../../tensor/create.ts'
import type { Device } from '../../../tensor/device.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { normalise } from '../../pictures/pixels.ts'
import type { Source, Variables } from '../../task.ts'
import { confusionTable } from './confusion.ts'
import { judged } from './judged.ts'
import type { Labelled } from './labelled.ts'

/** What the source is of. */
export interface LabelledData<P> extends Pick<
  Source<Variables<P>, Labelled>,
  'fingerprint' | 'summary' | 'warnings' | 'changes'
> {
  /** With labels. */
  readonly data: TrainingData
  readonly network: Module<P>
  readonly names: readonly string[]
  /** Whether a picture may show several things at once. */
  readonly several: boolean
  /** Held-out pictures that are measured on, at most. */
  readonly measured: number
}

/** Logits of bytes. */
const seenBy =
  <P>(network: Module<P>) =>
  ({ params, modelState }: Variables<P>, pictures: Tensor): Tensor =>
    applyWithState(network, params, modelState, normalise(pictures))[0]

const measuredOn = <P>(device: Device, network: Module<P>, held: Labelled, several: boolean) => {
  const compiled = device.compile((variables: Variables<P>, { pictures, shown }: Labelled) =>
    judged(seenBy(network)(variables, pictures), shown, several),
  )
  return async (variables: Variables<P>, average = variables) => {
    const { loss, right } = await compiled(average, held)
    return { heldOut: await device.item(loss), accuracy: await device.item(right) }
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

/** Labelled pictures as a source. */
export const classificationSource = <P>({
  data,
  network,
  names,
  several,
  measured,
  ...known
}: LabelledData<P>): Source<Variables<P>, Labelled> => {
  const { height, width, channels } = data
  const held = heldOutOf(data, measured, names)
  return {
    ...known,
    examples: (first, count) => ({
      pictures: tensor(batchAt(data, first, count), { shape: [count, height, width, channels], copy: false }),
      shown: tensor(conditionsAt(data, first, count), { shape: [count, names.length], copy: false }),
    }),
    measure: (device) => Promise.resolve(measuredOn(device, network, held, several)),
    sheets: (device) => {
      const tabled = tableOn(device, network, held, names, several)
      return (variables) => async () =>
        E.right({ extension: 'txt', bytes: new TextEncoder().encode(await tabled(variables)) })
    },
  }
}
