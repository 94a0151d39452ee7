/** A text as a task: a GPT that learns what follows what, is measured on a part that it does not see, and writes. */
import { generateOn, gpt, type Gpt, type GptOptions, type GptParams } from '../../../models/index.ts'
import { crossEntropy, evaluate } from '../../../nn/index.ts'
import { range } from '../../../prelude/array.ts'
import { E } from '../../../prelude/fp.ts'
import { requireKnown, requireShare, requireWhole } from '../../../prelude/options.ts'
import { hostFold, hostKey, hostPermutationIndex } from '../../../prelude/threefry.ts'
import { tensor, zeros } from '../../../tensor/create.ts'
import type { Device } from '../../../tensor/device.ts'
import { foldIn, type Key } from '../../../tensor/random.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Source, Task } from '../../task.ts'
import { charactersOf, utf8Tokens, type Tokens } from './tokens.ts'

/** Stretches of a text, i32 [N, context + 1]: what is seen, and what follows each of it. */
export interface Stretches {
  readonly ids: Tensor
}

/** What dropout draws from. */
export interface TextDraws {
  readonly key: Key
}

/** How a text is learned. */
export interface TextOptions extends Omit<GptOptions, 'vocabulary'> {
  /** The characters of the text, or the bytes of any; default `characters`. */
  readonly tokens?: 'characters' | 'bytes'
  /** The share of the text, its end, that is measured on and not learned; default 0.1. */
  readonly heldOut?: number
  /** From which the order of the stretches is drawn; default 0. */
  readonly seed?: number
  /** Tokens of the text that a sheet shows; default 400. */
  readonly written?: number
}

/** A task with its data. */
export interface TextRun {
  readonly task: Task<GptParams, Stretches, TextDraws>
  readonly source: Source<GptParams, Stretches>
  readonly model: Gpt
  readonly tokens: Tokens
}

/** Stretches that are measured on, at most. */
const mostMeasured = 32

/** The network where nothing is named: a context of 128, four blocks of 128, about 0.8 million parameters. */
const usualNetwork = { context: 128, width: 128, depth: 4, heads: 4, dropout: 0 } as const

const surprise =
  (model: Gpt) =>
  (params: GptParams, { ids }: Stretches, { key }: TextDraws) =>
    crossEntropy(model.apply(params, ids.slice([], [0, -1]), { train: true, key }), ids.slice([], [1]))

/** The task of a model of so many tokens. */
const taskOf = (model: Gpt, tokens: Tokens): TextRun['task'] => ({
  words: {
    model: `GPT of ${tokens.count} ${tokens.unit}s, context ${model.context}`,
    goal: 'says what follows',
    example: { one: 'a stretch of text', many: 'stretches', short: 'text' },
    measured: ({ heldOut }) =>
      heldOut === undefined ? [] : [`held out: ${(heldOut / Math.LN2).toFixed(2)} bits a ${tokens.unit}`],
  },
  losses: [{ name: 'heldOut', about: 'the surprise at text that is held out', curve: 'held out', chooses: true }],
  init: model.init,
  draws: (key, _, first) => ({ key: first === undefined ? key : foldIn(key, first) }),
  loss: surprise(model),
  blank: (count) => ({ ids: zeros([count, model.context + 1], 'i32') }),
})

/** The mean surprise at stretches, in nats a token. */
const measuredOn = (device: Device, model: Gpt, held: Stretches) => {
  const compiled = device.compile((params: GptParams, { ids }: Stretches) =>
    crossEntropy(model.apply(params, ids.slice([], [0, -1]), evaluate), ids.slice([], [1])),
  )
  return async (params: GptParams, average: GptParams = params) => ({
    heldOut: await device.item(await compiled(average, held)),
  })
}

const requireOptions = (text: string, options: TextOptions): void => {
  const { heldOut = 0.1, seed = 0, written = 400, tokens = 'characters' } = options
  const own = ['tokens', 'heldOut', 'seed', 'written']
  requireKnown('textRun', options, [...own, 'context', 'width', 'depth', 'heads', 'positions', 'tied', 'dropout'])
  requireShare('textRun', 'heldOut', heldOut)
  requireWhole('textRun', 'seed', seed)
  requireWhole('textRun', 'written', written)
  if (tokens !== 'characters' && tokens !== 'bytes')
    throw new RangeError(`textRun: tokens are '${String(tokens)}'; they must be characters or bytes`)
  if (text === '') throw new RangeError('textRun: the text is empty')
}

/**
 * A text as a task with its data, for {@link wholeRun}: a GPT learns stretches of it in an order of the seed, the end of the text is measured on, in
 * nats a token (`heldOut`), and sheets are text that the model writes.
 *
 * @throws RangeError for a text that is shorter than the context, and for numbers that are none
 * @example
 * ```ts
 * import { memoryStore, textRun, usualRun, wholeRun } from 'fathom/train'
 *
 * const { task, source } = textRun('the sea, the sea, the open sea. '.repeat(20), { context: 16, width: 16, depth: 1, heads: 2, written: 20 })
 * const store = memoryStore()
 * await wholeRun({ config: usualRun({ steps: 2, batch: 4 }), task, source, device }, store)() // => right({ step: 2, … })
 * source.summary // => '640 characters, of which 64 are held out'
 * ```
 */
export const textRun = (text: string, options: TextOptions = {}): TextRun => {
  requireOptions(text, options)
  const { tokens: kind = 'characters', heldOut = 0.1, seed = 0, written = 400, ...network } = options
  const tokens = kind === 'bytes' ? utf8Tokens : charactersOf(text)
  const model = gpt({ ...usualNetwork, ...network, vocabulary: tokens.count })
  const ids = tokens.encode(text)
  const held = Math.round(heldOut * ids.length)
  const length = model.context + 1
  const starts = ids.length - held - length + 1
  if (starts < 1 || (held > 0 && held < length))
    throw new RangeError(
      `textRun: the text has ${ids.length} ${tokens.unit}s, of which ${held} are held out; both parts must have more than a context of ${model.context}: give a longer text, or a smaller context`,
    )
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
    model,
    tokens,
    task: taskOf(model, tokens),
    source: {
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
      files: new Map([
        [
          'tokens.json',
          new TextEncoder().encode(JSON.stringify(kind === 'bytes' ? 'bytes' : tokens.decode(range(tokens.count)))),
        ],
      ]),
      fingerprint: `${ids.length} ${tokens.unit}s, ${ids.reduce((hash, id) => (Math.imul(hash, 31) + id) >>> 0, 7)}`,
      summary: `${ids.length} ${tokens.unit}s, of which ${held} are held out`,
      warnings: [],
      changes: () => [],
    },
  }
}
