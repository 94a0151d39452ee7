/** Texts as numbers: the characters that occur in a text, or the bytes of any. */
import { at } from '../../../prelude/array.ts'
import { printable } from '../../../prelude/printable.ts'

/** How texts become tokens, and back. */
export interface Tokens {
  /** What a token is called: `character`. */
  readonly unit: string
  /** Different tokens. */
  readonly count: number
  /** @throws RangeError for a text with something that is no token */
  readonly encode: (text: string) => Int32Array
  /** The text of tokens. */
  readonly decode: (ids: readonly number[]) => string
}

/**
 * The characters of a text, in the order of Unicode.
 *
 * @param text that has all of them
 * @example
 * ```ts
 * import { charactersOf } from 'fathom/train'
 *
 * const { encode, decode, count } = charactersOf('hello sea')
 * count // => 7
 * encode('hole') // => [3, 5, 4, 2]
 * decode([0, 6, 2, 1]) // => ' sea'
 * encode('ship') // throws RangeError: text: 'i' is not among the 7 characters of this model: it knows those of the text that it was trained on
 * ```
 */
export const charactersOf = (text: string): Tokens => {
  const characters = [...new Set(text)].toSorted((a, b) => (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0))
  const places = new Map(characters.map((character, id) => [character, id]))
  return {
    unit: 'character',
    count: characters.length,
    encode: (given) =>
      Int32Array.from(given, (character) => {
        const id = places.get(character)
        if (id === undefined)
          throw new RangeError(
            `text: '${printable(character)}' is not among the ${characters.length} characters of this model: it knows those of the text that it was trained on`,
          )
        return id
      }),
    decode: (ids) => ids.map((id) => at(characters, id)).join(''),
  }
}

/**
 * The bytes of texts in UTF-8: every text has 256 different tokens at most, and letters beyond ASCII are several.
 *
 * @example
 * ```ts
 * import { utf8Tokens } from 'fathom/train'
 *
 * utf8Tokens.encode('é') // => [195, 169]
 * utf8Tokens.decode([115, 101, 97]) // => 'sea'
 * ```
 */
export const utf8Tokens: Tokens = {
  unit: 'byte',
  count: 256,
  encode: (text) => Int32Array.from(new TextEncoder().encode(text)),
  decode: (ids) => new TextDecoder().decode(Uint8Array.from(ids)),
}
