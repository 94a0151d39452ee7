/** GPT as a family: the settings of a configuration, and what a trainer needs to know of a model that goes on with texts. */
import { faultIn, number, oneOf, optional, record, whole, type Decoder, type Fields } from '../../prelude/decode.ts'
import { E, pipe } from '../../prelude/fp.ts'
import { isRecord } from '../../prelude/record.ts'
import { fitting, type SettingFault } from '../settingFault.ts'
import { gpt, type Gpt, type GptOptions } from './gpt.ts'

/** The settings of the network, as a configuration holds them; what it names not is as in {@link gpt}. */
export type GptConfig = Omit<GptOptions, 'vocabulary'>

/** The network of a text's configuration: a union on `kind`, of one so far. */
export type LanguageConfig = GptConfig & { readonly kind: 'gpt' }

/** A family of networks that say what follows in a text, over its settings `C`: what a trainer and a configuration need to know of it. */
export interface LanguageFamily<C, M> {
  /** What `kind` of a configuration says. */
  readonly name: string
  /** What a person calls its networks. */
  readonly title: string
  readonly defaults: C
  /** Left with words about the first setting that is wrong. */
  readonly decode: Decoder<C>
  /** The network for so many different tokens. */
  readonly build: (config: C, vocabulary: number) => M
}

const fields: Fields<GptConfig> = {
  context: optional(whole(2, 1_048_576)),
  width: optional(whole(1, 65_536)),
  depth: optional(whole(1, 1024)),
  heads: optional(whole(1, 1024)),
  positions: optional(oneOf('learned', 'rotary')),
  tied: optional((x) => (typeof x === 'boolean' ? E.right(x) : E.left({ expected: 'true or false' }))),
  dropout: optional(number('a number from 0 to below 1', (x) => x >= 0 && x < 1)),
}

/** Heads share the width, and what is turned by its place is turned in pairs (Su et al. 2021). */
const faultOf = ({
  width = 768,
  heads = 12,
  positions = 'learned',
}: GptConfig): SettingFault<GptConfig> | undefined => {
  if (width % heads !== 0) return { setting: 'heads', expected: `a divisor of the width, ${width}` }
  return positions === 'rotary' && (width / heads) % 2 !== 0
    ? { setting: 'heads', expected: `such that each has an even part of the width, ${width}: places turn pairs` }
    : undefined
}

/**
 * The family, for runs.
 *
 * @example
 * ```ts
 * import { key, zeros } from 'fathom'
 * import { gptFamily } from 'fathom/models'
 *
 * const { build, decode, defaults } = gptFamily
 * const network = build({ ...defaults, context: 8, width: 16, heads: 2 }, 5)
 * network.apply(network.init(key(0)), zeros([1, 8], 'i32')).shape // => [1, 8, 5]
 * decode({ width: 16, heads: 3 }) // => left({ expected: 'a divisor of the width, 16', … })
 * ```
 */
export const gptFamily: LanguageFamily<GptConfig, Gpt> = {
  name: 'gpt',
  title: 'GPT',
  defaults: { context: 128, width: 128, depth: 4, heads: 4, positions: 'learned', tied: true, dropout: 0 },
  decode: (x) => pipe(record<GptConfig>(fields)(x), E.chain(fitting(faultOf))),
  build: (config, vocabulary) => gpt({ ...config, vocabulary }),
}

/**
 * The network of a text's configuration; Left with the first setting that is wrong.
 *
 * @example
 * ```ts
 * import { decodeLanguage } from 'fathom/models'
 *
 * decodeLanguage({ kind: 'gpt', context: 64 }) // => right({ kind: 'gpt', context: 64 })
 * decodeLanguage({ kind: 'lstm' }) // => left({ expected: 'one of gpt', … })
 * ```
 */
export const decodeLanguage: Decoder<LanguageConfig> = (input) => {
  const { kind, ...settings } = isRecord(input) ? input : {}
  const known = oneOf('gpt')(kind)
  return E.isLeft(known)
    ? E.left(faultIn('kind', kind, known.left))
    : pipe(
        gptFamily.decode(settings),
        E.map((config) => ({ ...config, kind: known.right })),
      )
}

/**
 * The network of a configuration, for so many different tokens.
 *
 * @example
 * ```ts
 * import { languageModelOf } from 'fathom/models'
 *
 * languageModelOf({ kind: 'gpt', context: 64, width: 32, heads: 2 }, 96).context // => 64
 * ```
 */
export const languageModelOf = (config: LanguageConfig, vocabulary: number): Gpt => {
  const { kind: _, ...settings } = config
  return gptFamily.build(settings, vocabulary)
}
