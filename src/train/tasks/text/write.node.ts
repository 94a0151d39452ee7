/** What follows a text, by a model that a run has trained. */
import { generateOn } from '../../../models/gpt/generate.ts'
import type { GptParams } from '../../../models/gpt/gpt.ts'
import { E, pipe, TE } from '../../../prelude/fp.ts'
import { requireKnown } from '../../../prelude/options.ts'
import type { Device } from '../../../tensor/device.ts'
import { readConfig } from '../../configFile.ts'
import { orDeviceError } from '../../deviceErrors.ts'
import { ensuring } from '../../ensuring.ts'
import { decodeWhich, learnedIn, type Learned } from '../../learned.node.ts'
import { openDevice, type DeviceChoice } from '../../openDevice.ts'
import { storeIn } from '../../store.node.ts'
import { settingError, trainError, type TrainError } from '../../trainError.ts'
import type { TrainConfig } from '../registry.ts'
import { modelOf, tokensOf, type TextRunConfig } from './textConfig.ts'
import type { Tokens } from './tokens.ts'

/** How a text is gone on with. */
export interface WriteOptions {
  /** How the text begins; default the end of a line, or where the model knows none its first character. */
  readonly prompt?: string
  /** Tokens that are written; default 400. */
  readonly length?: number
  /** Divides the logits: below 1 the likely becomes likelier; default 0.8. */
  readonly temperature?: number
  /** Only the likeliest tokens are drawn that have so much of the probability together; default 1, all. */
  readonly topP?: number
  /** From which tokens are drawn; default 0. */
  readonly seed?: number
  /** Which averaged weights, a name of `whichWeights`; default `last`. */
  readonly weights?: string
  /** Default that of the run. */
  readonly device?: string
  readonly deviceOptions?: DeviceChoice
  /** Told the prompt, and each part of the text as it comes. */
  readonly onText?: (text: string) => void
}

/** What was written. */
export interface Written {
  /** The prompt, and what follows it. */
  readonly text: string
  /** Sentences for the user. */
  readonly warnings: readonly string[]
}

const requireText = (directory: string, config: TrainConfig): E.Either<TrainError, TextRunConfig> =>
  config.task === 'text'
    ? E.right(config)
    : E.left(trainError('RUN-NONE', `${directory} is no run of a text model: name one that \`fathom train-text\` made`))

/** Numbers with what each must be. */
const bounds = {
  length: ['a whole number from 0 to 1000000', (x: number) => Number.isInteger(x) && x >= 0 && x <= 1_000_000],
  temperature: ['a number above 0', (x: number) => x > 0 && Number.isFinite(x)],
  topP: ['a number above 0 and at most 1', (x: number) => x > 0 && x <= 1],
  seed: ['a whole number ≥ 0', (x: number) => Number.isSafeInteger(x) && x >= 0],
} as const

/** What the command calls them. */
const flagOf = { length: 'length', temperature: 'temperature', topP: 'top-p', seed: 'seed' } as const

const requireOptions = (options: WriteOptions): E.Either<TrainError, void> => {
  for (const name of ['length', 'temperature', 'topP', 'seed'] as const) {
    const [value, [expected, fits]] = [options[name], bounds[name]]
    if (value !== undefined && !fits(value))
      return E.left(settingError({ path: flagOf[name], expected, got: String(value) }))
  }
  return E.right(undefined)
}

/** How a text begins where nothing is said. */
const usualPrompt = ({ tokens, alphabet = '' }: TextRunConfig): string =>
  tokens === 'bytes' || alphabet.includes('\n') ? '\n' : ([...alphabet][0] ?? '')

/** The tokens of a prompt. Left where it is empty, or has what the model does not know. */
const promptIn = (tokens: Tokens, prompt: string): E.Either<TrainError, readonly number[]> =>
  prompt === ''
    ? E.left(settingError({ path: 'prompt', expected: 'a text of one letter at least', got: '""' }))
    : E.tryCatch(
        () => [...tokens.encode(prompt)],
        (error) => trainError('CFG', `the prompt: ${error instanceof Error ? error.message : String(error)}`),
      )

/** Texts of tokens that come one by one: a letter may be several bytes. */
const streamOf = ({ unit, decode }: Tokens): ((token: number) => string) => {
  const letters = new TextDecoder()
  return unit === 'byte'
    ? (token) => letters.decode(Uint8Array.of(token), { stream: true })
    : (token) => decode([token])
}

const writtenOn = async (
  device: Device,
  config: TextRunConfig,
  params: GptParams,
  prompt: readonly number[],
  { length = 400, temperature = 0.8, topP = 1, seed = 0, onText = () => undefined }: WriteOptions,
): Promise<string> => {
  const tokens = tokensOf(config)
  const textOf = streamOf(tokens)
  onText(tokens.decode(prompt))
  const onToken = (token: number): void => {
    onText(textOf(token))
  }
  const generate = generateOn(device, modelOf(config))
  const more = await generate(params, { prompt, count: length, temperature, topP, seed, onToken })
  return tokens.decode([...prompt, ...more])
}

/** The weights of a run that has learned something. */
const learnedOf = (
  directory: string,
  config: TextRunConfig,
  weights: string,
): TE.TaskEither<TrainError, Learned<GptParams>> =>
  pipe(
    TE.fromEither(decodeWhich(weights)),
    TE.chain((which) => learnedIn(directory, config, modelOf(config), which)),
    TE.filterOrElse(
      ({ step }) => step > 0,
      () => trainError('CKPT', `${directory} has learned nothing yet: train it on with \`fathom resume ${directory}\``),
    ),
  )

/**
 * Goes on with a text, by the averaged weights of a run of `fathom train-text`. The same seed writes the same text.
 *
 * @param directory of the run
 * @returns Left for a run that is no text model or has learned nothing yet, and for a prompt with what the model does not know
 * @example
 * ```ts
 * import { replaceFile } from 'fathom/io'
 * import { alphabetIn, textConfigOf, train, write } from 'fathom/train'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 *
 * await replaceFile('sea.txt', new TextEncoder().encode('the sea, the open sea. '.repeat(20)))()
 * const tiny = { model: { context: 8, width: 8, depth: 1, heads: 2 }, batch: 2, steps: 2, written: 4 }
 * const written = pipe(
 *   alphabetIn('sea.txt'),
 *   TE.chainEitherK((alphabet) => textConfigOf({ ...tiny, folder: 'sea.txt', alphabet, out: 'run' })),
 *   TE.chain((config) => train(config)),
 *   TE.chain(({ directory }) => write(directory, { prompt: 'the ', length: 6 })),
 *   TE.map(({ text }) => text.length),
 * )
 * await written() // => right(10)
 * await write('run', { prompt: 'ship' })() // => left({ message: "the prompt: text: 'i' is not among the 11 characters …", … })
 * ```
 */
export const write = (directory: string, options: WriteOptions = {}): TE.TaskEither<TrainError, Written> => {
  requireKnown('write', options, [...Object.keys(bounds), 'prompt', 'weights', 'device', 'deviceOptions', 'onText'])
  return pipe(
    TE.fromEither(requireOptions(options)),
    TE.chain(() => readConfig(storeIn(directory))),
    TE.chainEitherK((config) => requireText(directory, config)),
    TE.bindTo('config'),
    TE.bind('prompt', ({ config }) => TE.fromEither(promptIn(tokensOf(config), options.prompt ?? usualPrompt(config)))),
    TE.bind('learned', ({ config }) => learnedOf(directory, config, options.weights ?? 'last')),
    TE.bind('device', ({ config }) => openDevice(options.device ?? config.device, options.deviceOptions)),
    TE.chain(({ config, prompt, learned: { average, warnings }, device }) =>
      pipe(
        TE.fromTask<string, TrainError>(() => writtenOn(device, config, average, prompt, options)),
        TE.map((text) => ({ text, warnings })),
        orDeviceError(device.name),
        ensuring(() => device.close()),
      ),
    ),
  )
}
