/**
 * A small GPT (Radford et al. 2019) that learns the chapters of these docs, character by character, and writes on: weights of the table of characters
 * are the weights of the output, decay is for matrices alone, the rate follows a cosine. `npm run play examples/cookbook/gpt.ts`
 */
import { readdirSync, readFileSync } from 'node:fs'
import { arange, categorical, foldIn, gather, key, openDevice, randint, scalar, tensor } from 'fathom'
import type { Device, Key, Tensor } from 'fathom'
import { attention, compose, crossEntropy, dropout, gelu, layerNorm, linear, parameter, type ParamsOf } from 'fathom/nn'
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

const block = ({ width, heads, drops }: GptSizes) =>
  compose(
    {
      before: layerNorm(width),
      attend: attention(width, { heads, causal: true }),
      between: layerNorm(width),
      widen: linear(width, 4 * width),
      narrow: linear(4 * width, width),
      drop: dropout(drops),
    },
    ({ before, attend, between, widen, narrow, drop }, x: Tensor) => {
      const y = x.add(drop(attend(before(x))))
      return y.add(drop(narrow(gelu(widen(between(y))))))
    },
  )

/** Characters [N, T] i32 to the logits of each next one, [N, T, vocabulary]. */
export const gptOf = (sizes: GptSizes) =>
  compose(
    {
      characters: parameter(normal([sizes.vocabulary, sizes.width], 0.1)),
      places: parameter(normal([sizes.context, sizes.width], 0.05)),
      blocks: Array.from({ length: sizes.layers }, () => block(sizes)),
      norm: layerNorm(sizes.width),
    },
    ({ characters, places, blocks, norm }, x: Tensor) => {
      const table = characters()
      const embedded = gather(table, x).add(gather(places(), arange(x.shape[1] ?? 0)))
      return norm(blocks.reduce((y, each) => each(y), embedded)).matmul(table.transpose())
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

/** Writes on after `begun`, a little more surely than it thinks. */
const write = async (device: Device, params: Params, begun: string, count: number): Promise<string> => {
  const next = device.compile((params: Params, seen: Tensor, last: Tensor, k: Key) => {
    const logits = gather(model.apply(params, seen).reshape([sizes.context, -1]), last).div(0.8)
    return categorical(k, logits)
  })
  const ids = [...encode(begun)]
  for (let i = 0; i < count; i++) {
    const window = ids.slice(-sizes.context)
    const seen = Int32Array.from({ length: sizes.context }, (_, k) => window[k] ?? 0)
    const last = scalar(window.length - 1, 'i32')
    ids.push(
      await device.item(await next(params, tensor(seen, { shape: [1, sizes.context] }), last, foldIn(key(4), i))),
    )
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
