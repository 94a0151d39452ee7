/**
 * A small GPT that learns to write like these docs, character by character: a task of one's own for the trainer that trains on pictures.
 * `node scripts/node24.mjs examples/char-gpt.ts`, a minute on two cores.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { arange, categorical, foldIn, gather, key, openDevice, scalar, tensor, zeros } from 'fathom'
import type { Device, Tensor } from 'fathom'
import { attention, compose, crossEntropy, embedding, gelu, layerNorm, linear, type ParamsOf } from 'fathom/nn'
import { memoryStore, wholeRun } from 'fathom/train'
import type { RunConfig, Source, Task, TrainEvent } from 'fathom/train'
import { right } from 'fp-ts/lib/Either.js'

/** Printable ASCII and the end of a line; every other character is read as `?`. */
const characters = ['\n', ...Array.from({ length: 95 }, (_, i) => String.fromCodePoint(32 + i))]
const encode = (text: string): Int32Array =>
  Int32Array.from(text, (c) =>
    Math.max(characters.indexOf(c), characters.indexOf('?') * Number(!characters.includes(c))),
  )

/** What the network sees at once. */
const context = 64

const block = (width: number, heads: number) =>
  compose(
    {
      before: layerNorm(width),
      attend: attention(width, { heads, causal: true }),
      between: layerNorm(width),
      widen: linear(width, 4 * width),
      narrow: linear(4 * width, width),
    },
    ({ before, attend, between, widen, narrow }, x: Tensor) => {
      const y = x.add(attend(before(x)))
      return y.add(narrow(gelu(widen(between(y)))))
    },
  )

/** [N, T] i32 to the logits of the next character at each place, [N, T, 96]. */
const gpt = compose(
  {
    characters: embedding(characters.length, 64),
    places: embedding(context, 64),
    blocks: [block(64, 4), block(64, 4)],
    norm: layerNorm(64),
    out: linear(64, characters.length),
  },
  ({ characters: character, places, blocks, norm, out }, x: Tensor) => {
    const [, length = 0] = x.shape
    const embedded = character(x)
      .add(places(arange(length, 'i32')))
      .mul(0.1)
    return out(norm(blocks.reduce((y, each) => each(y), embedded)))
  },
)
type Gpt = ParamsOf<typeof gpt>

/** Stretches of text, [N, T + 1] i32: what is seen, and what follows it. */
interface Text {
  readonly text: Tensor
}

/** The mean surprise at each next character, in nats. */
const surprise = (params: Gpt, { text }: Text): Tensor =>
  crossEntropy(gpt.apply(params, text.slice([], [0, -1])), text.slice([], [1]))

/** Writes on after some text, `count` characters. */
const writerOn = (device: Device): ((params: Gpt, count: number) => Promise<string>) => {
  const next = device.compile((params: Gpt, seen: Tensor, last: Tensor, step: Tensor) => {
    const logits = gpt.apply(params, seen).reshape([context, characters.length])
    return categorical(foldIn(key(0), step), gather(logits, last).mul(1.25))
  })
  return async (params, count) => {
    const ids = [...encode('\n')]
    for (let i = 0; i < count; i++) {
      const window = ids.slice(-context)
      const seen = tensor(
        Int32Array.from({ length: context }, (_, k) => window[k] ?? 0),
        { shape: [1, context] },
      )
      ids.push(await device.item(await next(params, seen, scalar(window.length - 1, 'i32'), scalar(i, 'u32'))))
    }
    return ids.map((id) => characters[id]).join('')
  }
}

const task: Task<Gpt, Text, object> = {
  words: {
    model: 'a GPT of characters',
    goal: 'predicts the next one',
    example: { one: 'a stretch of text', many: 'stretches', short: 'text' },
    measured: ({ heldOut }) =>
      heldOut === undefined ? [] : [`held out: ${(heldOut / Math.LN2).toFixed(2)} bits a character`],
  },
  losses: [{ name: 'heldOut', about: 'the surprise at text that is held out', curve: 'held out' }],
  init: gpt.init,
  draws: () => ({}),
  loss: surprise,
  blank: (count) => ({ text: zeros([count, context + 1], 'i32') }),
}

/** Text as data: the last tenth of it is held out. */
const sourceOf = (ids: Int32Array): Source<Gpt, Text> => {
  const learned = Math.floor(0.9 * ids.length)
  const stretches = (starts: readonly number[]): Text => {
    const each = starts.map((start) => ids.subarray(start, start + context + 1))
    return {
      text: tensor(Int32Array.from(each.flatMap((stretch) => [...stretch])), { shape: [each.length, context + 1] }),
    }
  }
  const heldOut = Array.from(
    { length: 32 },
    (_, i) => learned + i * Math.floor((ids.length - learned - context - 1) / 32),
  )
  return {
    // 7,919 is prime: the starts go through all places before one comes again
    examples: (first, count) =>
      stretches(Array.from({ length: count }, (_, i) => ((first + i) * 7919) % (learned - context))),
    measure: async (device) => {
      const compiled = device.compile(surprise)
      return async (params) => ({ heldOut: await device.item(await compiled(params, stretches(heldOut))) })
    },
    sheets: (device) => {
      const write = writerOn(device)
      return (params) => async () =>
        right({ extension: 'txt', bytes: new TextEncoder().encode(await write(params, 200)) })
    },
    fingerprint: `${ids.length}`,
    summary: `${ids.length} characters, a tenth held out`,
    warnings: [],
    changes: () => [],
  }
}

/** What the example takes. */
interface Options {
  readonly steps?: number
  readonly onEvent?: (event: TrainEvent) => void
}

/** Trains on the docs; returns what was measured at the end, in nats a character, and what it writes. */
export const charGpt = async ({ steps = 1500, onEvent = () => undefined }: Options = {}) => {
  const docs = new URL('../docs/', import.meta.url)
  const pages = readdirSync(docs).filter((name) => /^\d.*\.md$/.test(name))
  const source = sourceOf(encode(pages.map((name) => readFileSync(new URL(name, docs), 'utf8')).join('\n')))
  const device = await openDevice()
  const config: RunConfig = {
    folder: null,
    out: 'memory',
    preset: '',
    device: device.name,
    seed: 0,
    batch: 16,
    accumulate: 1,
    steps,
    learningRate: 6e-3,
    rate: 'cosine',
    ema: 0.99,
    saveEvery: steps,
    sampleEvery: steps,
    heldOutEvery: steps,
  }
  const store = memoryStore()
  const result = await wholeRun({ config, task, source, device, emit: onEvent }, store)()
  await device.close()
  if (result._tag === 'Left') throw new Error(result.left.message)
  const written = [...store.files].find(([name]) => name.endsWith('.txt'))
  return { heldOut: result.right.measured?.['heldOut'] ?? NaN, text: new TextDecoder().decode(written?.[1]) }
}

if (import.meta.main) {
  const show = (event: TrainEvent): void => {
    if (event._tag === 'Stepped' && event.step % 50 === 0) console.log(`step ${event.step}: ${event.loss.toFixed(3)}`)
  }
  const { heldOut, text } = await charGpt({ onEvent: show })
  console.log(`held out: ${(heldOut / Math.LN2).toFixed(2)} bits a character; it writes:\n${text}`)
}
