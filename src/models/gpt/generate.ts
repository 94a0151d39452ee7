/** Going on with a text: one token after the other, each of which costs one step through the network, for keys and values are kept. */
import { applyWithState, cacheOf, type ModelState } from '../../nn/index.ts'
import { at } from '../../prelude/array.ts'
import { requireKnown, requirePositive, requireWhole } from '../../prelude/options.ts'
import { scalar, tensor } from '../../tensor/create.ts'
import { cumsum } from '../../tensor/cumsum.ts'
import { topK } from '../../tensor/orders.ts'
import type { Device } from '../../tensor/device.ts'
import { categorical, foldIn, key, type Key } from '../../tensor/random.ts'
import { softmax } from '../../tensor/softmax.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Gpt, GptParams } from './gpt.ts'

/** How a text is gone on with. */
export interface GenerateOptions {
  /** The tokens before; at least one. */
  readonly prompt: readonly number[]
  /** How many more. */
  readonly count: number
  /** Divides the logits: below 1 the likely becomes likelier; default 1. */
  readonly temperature?: number
  /** Only the so many likeliest tokens are drawn; default all. */
  readonly topK?: number
  /** Only the likeliest tokens are drawn that have so much of the probability together (Holtzman et al. 2020); default 1, all. */
  readonly topP?: number
  /** From which the choice is drawn; default 0. */
  readonly seed?: number
  /** Told each token as it comes. */
  readonly onToken?: (token: number) => void
}

const optionNames: readonly (keyof GenerateOptions)[] = [
  'prompt',
  'count',
  'temperature',
  'topK',
  'topP',
  'seed',
  'onToken',
]

/** Logits [V] of which only the k largest, and those equal to the least of them, are left. */
const largest = (logits: Tensor, k: number): Tensor => {
  const count = at(logits.shape, 0)
  if (k >= count) return logits
  return logits.less(topK(logits, k).values.at(0, k - 1)).select(-Infinity, logits)
}

/**
 * Logits [V] of which the fewest likeliest are left that have p of the probability together, and those equal to the least of them: Holtzman et al. 2020,
 * "The Curious Case of Neural Text Degeneration", eq. 2.
 */
const nucleus = (logits: Tensor, p: number): Tensor => {
  if (p >= 1) return logits
  const ranked = topK(logits, at(logits.shape, 0)).values
  const shares = softmax(ranked)
  const likelier = cumsum(shares).sub(shares) // what those before it have together: of the first nothing
  const least = likelier.less(p).select(ranked, Infinity).min()
  return logits.less(least).select(-Infinity, logits)
}

/** What one step is asked. */
interface Asked {
  /** i32 [1, T]. */
  readonly ids: Tensor
  readonly temperature: Tensor
  readonly seed: Key
  /** u32 [], the number of the token. */
  readonly n: Tensor
  /** Numbers as texts: parts of the program, and no values of it. */
  readonly topK: string
  readonly topP: string
}

const requireOptions = (options: GenerateOptions, { vocabulary, context }: Gpt): void => {
  const who = 'generate'
  requireKnown(who, options, optionNames)
  const { prompt, count, temperature = 1, topK = vocabulary, topP = 1, seed = 0 } = options
  requireWhole(who, 'count', count)
  requirePositive(who, 'temperature', temperature)
  requireWhole(who, 'topK', topK, 1)
  if (!(topP > 0 && topP <= 1)) throw new RangeError(`${who}: topP is ${topP}; it must be above 0 and at most 1`)
  requireWhole(who, 'seed', seed)
  if (prompt.length === 0)
    throw new RangeError(`${who}: the prompt is empty: give at least one token, such as the end of a line`)
  const wrong = prompt.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabulary))
  if (wrong !== undefined)
    throw new RangeError(`${who}: the prompt has a token ${wrong}, outside 0 … ${vocabulary - 1}`)
  if (context < 2) throw new RangeError(`${who}: a context of ${context} has no place for a token and one after it`)
}

/**
 * Prepares a model to write on a device. What comes back goes on from a prompt: it takes the prompt at once and then token after token, with keys and
 * values kept; where the context is full, it goes on from the last half of it.
 *
 * @returns a function of parameters and options to the new tokens
 * @throws RangeError for an empty prompt, tokens outside the vocabulary, and numbers that are none
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { generateOn, gpt } from 'fathom/models'
 *
 * const model = gpt({ vocabulary: 5, context: 8, width: 8, depth: 1, heads: 2 })
 * const generate = generateOn(device, model)
 * const tokens = await generate(model.init(key(0)), { prompt: [1, 2], count: 20, seed: 3 })
 * tokens.length // => 20
 * ```
 */
export const generateOn = (
  device: Device,
  model: Gpt,
): ((params: GptParams, options: GenerateOptions) => Promise<readonly number[]>) => {
  // One plan for each length of what is read at once: 1 for each token, and those of prompts. topK and topP are parts of the program.
  const next = device.compile(
    (params: GptParams, cache: ModelState, { ids, temperature, seed, n, ...only }: Asked) => {
      const [logits, kept] = applyWithState(model, params, cache, ids)
      const last = logits.slice([], [-1]).reshape([model.vocabulary]).cast('f32').div(temperature)
      return {
        token: categorical(foldIn(seed, n), nucleus(largest(last, Number(only.topK)), Number(only.topP))),
        cache: kept,
      }
    },
    { donate: [1] },
  )
  return async (params, options) => {
    requireOptions(options, model)
    const { prompt, count, temperature = 1, topK = model.vocabulary, topP = 1, seed = 0, onToken } = options
    const { context } = model
    const empty = (): ModelState => cacheOf(model, { batch: 1, length: context })
    const found: number[] = []
    let cache = empty()
    let [unread, kept]: [readonly number[], number] = [prompt.slice(-context), 0]
    for (let i = 0; i < count; i++) {
      if (kept + unread.length > context) {
        unread = [...prompt, ...found].slice(-Math.ceil(context / 2))
        device.release(cache)
        cache = empty()
        kept = 0
      }
      const ids = tensor(Int32Array.from(unread), { shape: [1, unread.length] })
      const told = await next(params, cache, {
        ids,
        temperature: scalar(temperature),
        seed: key(seed),
        n: scalar(i, 'u32'),
        topK: String(topK),
        topP: String(topP),
      })
      const token = await device.item(told.token)
      cache = told.cache
      kept += unread.length
      unread = [token]
      found.push(token)
      onToken?.(token)
    }
    device.release(cache)
    return found
  }
}
