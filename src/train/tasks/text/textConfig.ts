/** The settings of a text model's training, beside those that every run has; how they are decoded, and what they must be to one another. */
import { decodeLanguage, languageModelOf, type LanguageConfig } from '../../../models/gpt/family.ts'
import type { Gpt } from '../../../models/gpt/gpt.ts'
import {
  expects,
  number,
  oneOf,
  optional,
  show,
  text,
  whole,
  type Decoder,
  type Fields,
} from '../../../prelude/decode.ts'
import { E } from '../../../prelude/fp.ts'
import { runFields, type RunConfig } from '../../runConfig.ts'
import { settingError, type TrainError } from '../../trainError.ts'
import { charactersOf, utf8Tokens, type Tokens } from './tokens.ts'

/** What a text model is, and from what it learns. */
export interface TextTaskConfig {
  readonly task: 'text'
  readonly model: LanguageConfig
  /** What it reads and writes one by one: the characters of the text, or the bytes of any. */
  readonly tokens: 'characters' | 'bytes'
  /** The characters that it knows, each once, in the order of Unicode; there where tokens are characters. */
  readonly alphabet?: string
  /** The share of the text, its end, that is measured on and not learned. */
  readonly heldOut: number
  /** Tokens of the text that a sheet shows. */
  readonly written: number
}

/** The configuration of a run that trains a text model; its `folder` is the file of the text. */
export type TextRunConfig = RunConfig & TextTaskConfig

/** Most different characters: of all texts in one script there are fewer. */
const mostCharacters = 65_536

const alphabet: Decoder<string> = (x) => {
  if (typeof x !== 'string' || x === '') return expects('the characters of the text, each once')
  const characters = [...x]
  return new Set(characters).size === characters.length && characters.length <= mostCharacters
    ? E.right(x)
    : expects(`at most ${mostCharacters} characters, each once`)
}

/** What each setting must be. */
export const textFields: Fields<TextRunConfig> = {
  ...runFields,
  folder: (x) => (x === null ? expects('the path of a file of text') : text(x)),
  task: oneOf('text'),
  model: decodeLanguage,
  tokens: oneOf('characters', 'bytes'),
  alphabet: optional(alphabet),
  heldOut: number('a share of the text, from 0 to below 1', (x) => x >= 0 && x < 1),
  written: whole(1, 1_000_000),
}

/** How the texts of a configuration become tokens. */
export const tokensOf = ({ tokens, alphabet: known = '' }: Pick<TextRunConfig, 'tokens' | 'alphabet'>): Tokens =>
  tokens === 'bytes' ? utf8Tokens : charactersOf(known)

/** The network of a configuration. */
export const modelOf = (config: TextRunConfig): Gpt => languageModelOf(config.model, tokensOf(config).count)

/** What the values must be to one another. */
export const checkText = (config: TextRunConfig): E.Either<TrainError, TextRunConfig> => {
  const { tokens, alphabet: known } = config
  return (tokens === 'characters') === (known !== undefined)
    ? E.right(config)
    : E.left(
        settingError({
          path: 'alphabet',
          expected: tokens === 'bytes' ? 'absent where tokens are bytes' : 'the characters of the text, each once',
          got: show(known),
        }),
      )
}
