/** From the words of the command line to values, by the table of `spec.ts`. Wrong usage is a Left with the words to print. */
import { parseArgs } from 'node:util'
import { E, pipe } from '../prelude/fp.ts'
import { lucidrainsAverage, suggestion, type RunConfig } from '../train/index.ts'
import type { Command, Flag, FlagKind } from './flag.ts'
import { commands, type CommandName } from './spec.ts'

/** The value of a flag. */
export type FlagValue = string | number | boolean | readonly [height: number, width: number] | Averages

/** How weights are averaged, where that is not the largest decay of one average. */
export type Averages = Exclude<RunConfig['ema'], number>

/** Whether the value of a flag is a size. */
export const isSize = (value: FlagValue | undefined): value is readonly [height: number, width: number] =>
  Array.isArray(value)

/** What the command line asks for. */
export type Request =
  | { readonly _tag: 'Help'; readonly command?: CommandName; readonly all?: boolean }
  | { readonly _tag: 'Version' }
  | {
      readonly _tag: 'Run'
      readonly command: CommandName
      readonly positional: string | undefined
      /** The words after the positional, where a command takes several. */
      readonly others: readonly string[]
      readonly flags: ReadonlyMap<string, FlagValue>
    }

/** Wrong usage, in words. */
export interface UsageError {
  readonly _tag: 'UsageError'
  readonly message: string
}

const usageError = (message: string): E.Either<UsageError, never> => E.left({ _tag: 'UsageError', message })

const isCommand = (name: string): name is CommandName => Object.hasOwn(commands, name)

type ReadValue = (name: string, text: string) => E.Either<UsageError, FlagValue>

/** The text of a flag as its kind of value. */
const readers: { readonly [K in Exclude<FlagKind, 'switch'>]: ReadValue } = {
  text: (_, text) => E.right(text),
  number: (name, text) =>
    text.trim() === '' || Number.isNaN(Number(text))
      ? usageError(`--${name} takes a number, got '${text}'`)
      : E.right(Number(text)),
  averages: (name, text) => {
    if (text === 'lucidrains') return E.right(lucidrainsAverage)
    if (/^[\d.]+%(,[\d.]+%)*$/.test(text))
      return E.right({ widths: text.split(',').map((width) => Number.parseFloat(width) / 100) })
    return text.trim() === '' || Number.isNaN(Number(text))
      ? usageError(`--${name} takes a decay like 0.995, widths like 5%,10%, or lucidrains, got '${text}'`)
      : E.right(Number(text))
  },
  toggle: (name, text) =>
    text === 'on' || text === 'off' ? E.right(text === 'on') : usageError(`--${name} takes on or off, got '${text}'`),
  duration: (name, text) => {
    const [whole, h, m, s] = /^(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?$/.exec(text) ?? []
    const seconds = 3600 * Number(h ?? 0) + 60 * Number(m ?? 0) + Number(s ?? 0)
    return whole === undefined || seconds === 0
      ? usageError(
          `--${name} takes a time like 45s, 12m or 1h30m, got '${text}'${Number(text) > 0 ? `; did you mean ${text}m?` : ''}`,
        )
      : E.right(seconds)
  },
  size: (name, text) => {
    const [, height, width = height] = /^(\d+)(?:[x×](\d+))?$/.exec(text) ?? []
    return height === undefined || width === undefined
      ? usageError(`--${name} takes a size like 64 or 48x64 (height x width), got '${text}'`)
      : E.right([Number(height), Number(width)])
  },
}

const valueOf = (
  name: string,
  { kind, value: placeholder = 'VALUE' }: Flag,
  text: string | undefined,
): E.Either<UsageError, FlagValue> => {
  if (kind === 'switch') return text === undefined ? E.right(true) : usageError(`--${name} takes no value`)
  return text === undefined || text === ''
    ? usageError(`--${name} needs a value: --${name} ${placeholder}`)
    : readers[kind](name, text)
}

/** Node's options for the flags of a command: a short form for help alone. */
const optionsOf = ({ flags }: Command): Record<string, { type: 'string' | 'boolean'; short?: string }> => ({
  ...Object.fromEntries(
    Object.entries(flags).map(([name, { kind }]) => [
      name,
      { type: kind === 'switch' ? 'boolean' : 'string' } as const,
    ]),
  ),
  help: { type: 'boolean', short: 'h' },
  'help-all': { type: 'boolean' },
})

/** A word after the command's name, as Node tells them apart. */
type Token = NonNullable<ReturnType<typeof parseArgs>['tokens']>[number]

/** The values of the flags; the first that is wrong is the error. */
const flagsOf = (
  name: CommandName,
  { flags }: Command,
  tokens: readonly Token[],
): E.Either<UsageError, ReadonlyMap<string, FlagValue>> => {
  const values = new Map<string, FlagValue>()
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const flag = Object.hasOwn(flags, token.name) ? flags[token.name] : undefined
    if (flag === undefined)
      return usageError(
        `${token.rawName} is not a flag of \`fathom ${name}\`${suggestion(token.name, [...Object.keys(flags), 'help', 'help-all'], (n) => `--${n}`)}`,
      )
    if (values.has(token.name)) return usageError(`--${token.name} is given twice: leave one out`)
    const value = valueOf(token.name, flag, token.value)
    if (E.isLeft(value)) return value
    values.set(token.name, value.right)
  }
  return E.right(values)
}

/** The words that are no flags. */
type Words = Pick<Extract<Request, { readonly _tag: 'Run' }>, 'positional' | 'others'>

/** What is wrong with the words, in words; undefined where they are as many as there must be. */
const faultOfWords = (
  name: CommandName,
  { positional: slot, others }: Command,
  [first, extra]: readonly string[],
): string | undefined => {
  const place = slot?.name ?? 'argument'
  if (slot?.required === true && first === undefined)
    return `\`fathom ${name}\` needs a ${place}: fathom ${name} ${place.toUpperCase()}`
  if (others !== undefined && extra === undefined)
    return `\`fathom ${name}\` needs a ${others} too: fathom ${name} ${place.toUpperCase()} ${others.toUpperCase()} …`
  return extra === undefined || others !== undefined
    ? undefined
    : `\`fathom ${name}\` takes one ${place}, got '${first ?? ''}' and '${extra}'; quote a path that has spaces`
}

const positionalOf = (name: CommandName, command: Command, tokens: readonly Token[]): E.Either<UsageError, Words> => {
  const words = tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []))
  const fault = faultOfWords(name, command, words)
  return fault === undefined ? E.right({ positional: words[0], others: words.slice(1) }) : usageError(fault)
}

const parseCommand = (name: CommandName, args: readonly string[]): E.Either<UsageError, Request> => {
  const command: Command = commands[name]
  const { tokens } = parseArgs({
    args: [...args],
    options: optionsOf(command),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const asks = (flag: string): boolean => tokens.some((token) => token.kind === 'option' && token.name === flag)
  if (asks('help') || asks('help-all')) return E.right({ _tag: 'Help', command: name, all: asks('help-all') })
  return pipe(
    E.Do,
    E.bind('flags', () => flagsOf(name, command, tokens)),
    E.bind('words', () => positionalOf(name, command, tokens)),
    E.map(({ flags, words }): Request => ({ _tag: 'Run', command: name, ...words, flags })),
  )
}

/** What the words after `fathom` ask for. */
export const parse = (args: readonly string[]): E.Either<UsageError, Request> => {
  const [first, ...rest] = args
  if (first === undefined || first === '--help' || first === '-h') return E.right({ _tag: 'Help' })
  if (first === 'help')
    return rest[0] !== undefined && isCommand(rest[0])
      ? E.right({ _tag: 'Help', command: rest[0] })
      : E.right({ _tag: 'Help' })
  if (first === '--version' || first === '-V') return E.right({ _tag: 'Version' })
  if (!isCommand(first))
    return usageError(
      `'${first}' is not a command${suggestion(first, Object.keys(commands), (n) => `\`fathom ${n}\``) || `; there are ${Object.keys(commands).join(', ')}`}`,
    )
  return parseCommand(first, rest)
}
