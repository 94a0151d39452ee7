/**
 * A small GPT (Radford et al. 2019) that learns the chapters of these docs, character by character, and writes on: weights of the table of characters
 * are the weights of the output, decay is for matrices alone, the rate follows a cosine. `npm run play examples/cookbook/gpt.ts`
 */
import { readdirSync, readFileSync } from 'node:fs'
import { arange, categorical, foldIn, gather, key, openDevice, randint, tensor, topK } from 'fathom'
import type { Device, Key, Tensor } from 'fathom'
import {
  applyWithState,
  cacheOf,
  compose,
  crossEntropy,
  layerNorm,
  learnedPositions,
  parameter,
  transformerBlock,
} from 'fathom/nn'
import type { ModelState, ParamsOf } from 'fathom/nn'
import { normal } from 'fathom/nn/init'
import { adamW, chain, clipByGlobalNorm, cosineDecay } from 'fathom/optim'
import { trainStep } from 'fathom/train'

/** How large it is. */
export interface GptSizes {
  readonly vocabulary: number
  /** How many characters it sees at once. */
  readonly context: number
  readonly width: number
  readonly heads: number
  readonly layers: number
  /** The share of activations that training drops. */
  readonly drops: number
}

/** Characters [N, T] i32 to the logits of each next one, [N, T, vocabulary]. */
export const gptOf = ({ vocabulary, context, width, heads, layers, drops }: GptSizes) =>
  compose(
    {
      characters: parameter(normal([vocabulary, width], 0.1)),
      places: learnedPositions(context, width),
      blocks: Array.from({ length: layers }, () => transformerBlock(width, { heads, causal: true, dropout: drops })),
      norm: layerNorm(width),
    },
    ({ characters, places, blocks, norm }, x: Tensor) => {
      const table = characters()
      return norm(blocks.reduce((y, block) => block(y), places(gather(table, x)))).matmul(table.transpose())
    },
  )

/** The end of a line and printable ASCII; every other character is read as `?`. */
const alphabet = ['\n', ...Array.from({ length: 95 }, (_, i) => String.fromCodePoint(32 + i))]
const encode = (text: string): Int32Array =>
  Int32Array.from(text, (c) => alphabet.indexOf(alphabet.includes(c) ? c : '?'))
const docs = (): Int32Array => {
  const folder = new URL('../../docs/', import.meta.url)
  const chapters = readdirSync(folder).filter((name) => /^\d.*\.md$/.test(name))
  return encode(chapters.map((name) => readFileSync(new URL(name, folder), 'utf8')).join('\n'))
}

const sizes = { vocabulary: alphabet.length, context: 64, width: 96, heads: 4, layers: 3, drops: 0.05 }
const model = gptOf(sizes)
type Params = ParamsOf<typeof model>

/** The mean surprise at the next character, in bits, of stretches that begin at `starts`, [N, 1]. */
const bits = (params: Params, text: Tensor, starts: Tensor, mode?: Parameters<typeof model.apply>[2]): Tensor => {
  const stretch = gather(text, starts.add(arange(sizes.context + 1)))
  const logits = model.apply(params, stretch.slice([], [0, -1]), mode)
  return crossEntropy(logits, stretch.slice([], [1])).div(Math.LN2)
}

/** Writes on after `begun`: each character is drawn from the likeliest ten, and what is known of those before is kept (a cache of keys and values). */
const write = async (device: Device, params: Params, begun: string, count: number): Promise<string> => {
  const { context } = sizes
  const next = device.compile(
    (params: Params, cache: ModelState, seen: Tensor, k: Key) => {
      const [logits, kept] = applyWithState(model, params, cache, seen)
      const { values, indices } = topK(logits.slice([], [-1]).reshape([-1]), 10)
      return { cache: kept, id: gather(indices, categorical(k, values.div(0.8))) }
    },
    { donate: [1] },
  )
  const fresh = (): ModelState => cacheOf(model, { batch: 1, length: context })
  const ids = [...encode(begun)]
  let [cache, seen, room] = [fresh(), ids.slice(), context - ids.length]
  for (let i = 0; i < count; i++) {
    const turn = await next(params, cache, tensor([seen], { dtype: 'i32' }), foldIn(key(4), i))
    const id = await device.item(turn.id)
    ids.push(id)
    // where the context is full, it goes on from the last half of it
    if (room > 0) [cache, seen, room] = [turn.cache, [id], room - 1]
    else [cache, seen, room] = [fresh(), ids.slice(-context / 2), context / 2]
  }
  return ids.map((id) => alphabet[id]).join('')
}

/** Trains; returns the surprise at the last tenth of the text, which is held out, in bits a character, and what is written. */
export const gpt = async ({ steps = 1500, batch = 16, characters = 300 } = {}) => {
  const device = await openDevice()
  const decays = (path: string, p: Tensor): boolean => p.rank === 2 && path.startsWith('blocks.')
  const training = trainStep({
    loss: (params: Params, text: Tensor, { key }) => {
      const starts = randint(foldIn(key, 'starts'), [batch, 1], 0, text.size - sizes.context)
      return bits(params, text, starts, { train: true, key })
    },
    optimizer: chain(clipByGlobalNorm(1), adamW({ beta2: 0.95, weightDecay: 0.1, decays })),
    rate: cosineDecay({ learningRate: 4e-3, warmupSteps: Math.min(50, Math.floor(steps / 4)), steps }),
  })
  const ids = docs()
  const learned = Math.floor(0.9 * ids.length)
  const [text, rest] = await device.realize([tensor(ids.subarray(0, learned)), tensor(ids.subarray(learned))] as const)
  const step = training.on(device)
  let state = training.init(model.init(key(0)))
  for (let i = 0; i < steps; i++) [state] = await step(state, text)
  const spread = arange(64).mul(Math.floor((rest.size - sizes.context - 1) / 64)).expandDims(1) // prettier-ignore
  const heldOut = await device.item(bits(state.params, rest, spread))
  const written = await write(device, state.params, 'The gradient', characters)
  await device.close()
  return { heldOut, written }
}

if (import.meta.main) {
  const { heldOut, written } = await gpt()
  console.log(`held out: ${heldOut.toFixed(2)} bits a character; it writes:\n${written}`)
}
