/** A text as a task: a GPT that learns what follows what, is measured on a part that it does not see, and writes. */
import { gpt, type Gpt, type GptOptions, type GptParams } from '../../../models/index.ts'
import { crossEntropy } from '../../../nn/index.ts'
import { range } from '../../../prelude/array.ts'
import { requireKnown, requireShare, requireWhole } from '../../../prelude/options.ts'
import { zeros } from '../../../tensor/create.ts'
import { foldIn, type Key } from '../../../tensor/random.ts'
import type { Measured, Source, Task } from '../../task.ts'
import type { Stretches } from './stretches.ts'
import { faultOfLength, textSource } from './textSource.ts'
import { charactersOf, utf8Tokens, type Tokens } from './tokens.ts'

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

/** The network where nothing is named: a context of 128, four blocks of 128, about 0.8 million parameters. */
const usualNetwork = { context: 128, width: 128, depth: 4, heads: 4, dropout: 0 } as const

const surprise =
  (model: Gpt) =>
  (params: GptParams, { ids }: Stretches, { key }: TextDraws) =>
    crossEntropy(model.apply(params, ids.slice([], [0, -1]), { train: true, key }), ids.slice([], [1]))

/** What was measured, in words: the surprise at text that is held out. */
const measuredInWords =
  ({ unit }: Tokens) =>
  ({ heldOut }: Measured): readonly string[] => {
    if (heldOut === undefined) return []
    const short = `held-out ${heldOut.toFixed(3)} nats a ${unit}`
    return [short, `${short} (${(heldOut / Math.LN2).toFixed(2)} bits)`]
  }

/** The task of a model of so many tokens. */
export const textTask = (model: Gpt, tokens: Tokens): Task<GptParams, Stretches, TextDraws> => ({
  words: {
    model: `GPT of ${tokens.count} ${tokens.unit}s, context ${model.context}`,
    goal: 'says what follows',
    example: { one: 'a stretch of text', many: 'stretches', short: 'stretches' },
    sheet: 'text',
    measured: measuredInWords(tokens),
  },
  losses: [{ name: 'heldOut', about: 'the surprise at text that is held out', curve: 'held out', chooses: true }],
  init: model.init,
  draws: (key, _, first) => ({ key: first === undefined ? key : foldIn(key, first) }),
  loss: surprise(model),
  blank: (count) => ({ ids: zeros([count, model.context + 1], 'i32') }),
})

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
  const data = { ids, model, tokens, heldOut, seed, written }
  const fault = faultOfLength(data)
  if (fault !== undefined) throw new RangeError(`textRun: ${fault}`)
  const known = kind === 'bytes' ? 'bytes' : tokens.decode(range(tokens.count))
  return {
    model,
    tokens,
    task: textTask(model, tokens),
    source: {
      ...textSource(data),
      files: new Map([['tokens.json', new TextEncoder().encode(JSON.stringify(known))]]),
    },
  }
}
