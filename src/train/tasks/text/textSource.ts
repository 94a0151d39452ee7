/** A text as the data of a model that goes on with it: stretches to learn, the end of the text to measure on, and what it writes. */
import { generateOn, type Gpt, type GptParams } from '../../../models/index.ts'
import { crossEntropy, evaluate } from '../../../nn/index.ts'
import { range } from '../../../prelude/array.ts'
import { E } from '../../../prelude/fp.ts'
import { hostFold, hostKey, hostPermutationIndex } from '../../../prelude/threefry.ts'
import { tensor } from '../../../tensor/create.ts'
import type { Device } from '../../../tensor/device.ts'
import type { Source } from '../../task.ts'
import type { Stretches } from './stretches.ts'
import type { Tokens } from './tokens.ts'

/** What the source is of. */
export interface TextData {
  /** The tokens of the text. */
  readonly ids: Int32Array
  readonly model: Gpt
  readonly tokens: Tokens
  /** The share of the text, its end, that is measured on and not learned. */
  readonly heldOut: number
  /** From which the order of the stretches is drawn. */
  readonly seed: number
  /** Tokens of the text that a sheet shows. */
  readonly written: number
}

/** Stretches that are measured on, at most. */
const mostMeasured = 32

const grouped = (n: number): string => n.toLocaleString('en-US')

/** Tokens of a text that are held out. */
const heldOf = ({ ids, heldOut }: Pick<TextData, 'ids' | 'heldOut'>): number => Math.round(heldOut * ids.length)

/** What is wrong with the length of a text, in words; undefined where it is long enough. */
export const faultOfLength = (data: Pick<TextData, 'ids' | 'model' | 'tokens' | 'heldOut'>): string | undefined => {
  const { ids, model, tokens } = data
  const [held, length] = [heldOf(data), model.context + 1]
  return ids.length - held < length || (held > 0 && held < length)
    ? `the text has ${grouped(ids.length)} ${tokens.unit}s, of which ${grouped(held)} are held out; both parts must have more than a context of ${model.context}: give a longer text, or a smaller context`
    : undefined
}

/** A text that tells these tokens from others. */
const fingerprintOf = ({ ids, tokens }: TextData): string =>
  `${ids.length} ${tokens.unit}s, ${ids.reduce((hash, id) => (Math.imul(hash, 31) + id) >>> 0, 7)}`

/** How a text is told to a person. */
export const textInWords = (data: Pick<TextData, 'ids' | 'tokens' | 'heldOut'>): string =>
  `${grouped(data.ids.length)} ${data.tokens.unit}s, of which ${grouped(heldOf(data))} are held out`

/** The mean surprise at stretches, in nats a token. */
const measuredOn = (device: Device, model: Gpt, held: Stretches) => {
  const compiled = device.compile((params: GptParams, { ids }: Stretches) =>
    crossEntropy(model.apply(params, ids.slice([], [0, -1]), evaluate), ids.slice([], [1])),
  )
  return async (params: GptParams, average: GptParams = params) => ({
    heldOut: await device.item(await compiled(average, held)),
  })
}

/** A text as a source, of which nothing is known beside it. */
export const textSource = (data: TextData): Source<GptParams, Stretches> => {
  const { ids, model, tokens, seed, written } = data
  const [held, length] = [heldOf(data), model.context + 1]
  const starts = ids.length - held - length + 1
  const stretches = (from: readonly number[]): Stretches => {
    const all = new Int32Array(from.length * length)
    from.forEach((start, i) => {
      all.set(ids.subarray(start, start + length), i * length)
    })
    return { ids: tensor(all, { shape: [from.length, length], copy: false }) }
  }
  const startAt = (i: number): number =>
    hostPermutationIndex(hostFold(hostKey(seed), Math.floor(i / starts)), starts, i % starts)
  const places = Math.min(mostMeasured, Math.floor(held / length))
  const measuredFrom = range(places).map((i) => ids.length - held + i * Math.floor(held / places))
  return {
    examples: (first, count) => stretches(range(count).map((i) => startAt(first + i))),
    ...(places > 0 && { measure: (device) => Promise.resolve(measuredOn(device, model, stretches(measuredFrom))) }),
    sheets: (device) => {
      const generate = generateOn(device, model)
      const prompt = [...ids.subarray(0, 1)]
      return (params) => async () => {
        const more = await generate(params, { prompt, count: written, temperature: 0.8 })
        return E.right({ extension: 'txt', bytes: new TextEncoder().encode(tokens.decode([...prompt, ...more])) })
      }
    },
    fingerprint: fingerprintOf(data),
    summary: textInWords(data),
    warnings: [],
    changes: () => [],
  }
}
