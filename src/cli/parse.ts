/** From the words of the command line to values, by the table of `spec.ts`. Wrong usage is a Left with the words to print. */
import { parseArgs } from 'node:util'
import { E } from '../prelude/fp.ts'
import { suggestion } from '../train/index.ts'
import { commands, type Command, type CommandName, type Flag } from './spec.ts'

/** The value of a flag. */
export type FlagValue = string | number | boolean | readonly [height: number, width: number]

/** What the command line asks for. */
export type Request =
  | { readonly _tag: 'Help'; readonly command?: CommandName }
  | { readonly _tag: 'Version' }
  | { readonly _tag: 'Run'; readonly command: CommandName; readonly positional: string | undefined; readonly flags: ReadonlyMap<string, FlagValue> }

/** Wrong usage, in words. */
export interface UsageError {
  readonly _tag: 'UsageError'
  readonly message: string
}

const usageError = (message: string): E.Either<UsageError, never> => E.left({ _tag: 'UsageError', message })

const isCommand = (name: string): name is CommandName => Object.hasOwn(commands, name)

/** The text of a flag as its kind of value. */
const valueOf = (name: string, { kind, value: placeholder }: Flag, text: string | undefined): E.Either<UsageError, FlagValue> => {
  if (kind === 'switch') return text === undefined ? E.right(true) : usageError(`--${name} takes no value`)
  if (text === undefined || text === '') return usageError(`--${name} needs a value: --${name} ${placeholder ?? 'VALUE'}`)
  if (kind === 'text') return E.right(text)
  if (kind === 'number') {
    const x = Number(text)
    return text.trim() === '' || Number.isNaN(x) ? usageError(`--${name} takes a number, got '${text}'`) : E.right(x)
  }
  const [, height, width = height] = /^(\d+)(?:[x×](\d+))?$/.exec(text) ?? []
  return height === undefined || width === undefined ? usageError(`--${name} takes a size like 64 or 48x64 (height x width), got '${text}'`) : E.right([Number(height), Number(width)])
}

/** Node's options for the flags of a command: a short form for help alone. */
const optionsOf = ({ flags }: Command): Record<string, { type: 'string' | 'boolean'; short?: string }> => ({
  ...Object.fromEntries(Object.entries(flags).map(([name, { kind }]) => [name, { type: kind === 'switch' ? 'boolean' : 'string' } as const])),
  help: { type: 'boolean', short: 'h' },
})

const parseCommand = (name: CommandName, args: readonly string[]): E.Either<UsageError, Request> => {
  const command: Command = commands[name]
  const { tokens } = parseArgs({ args: [...args], options: optionsOf(command), strict: false, allowPositionals: true, tokens: true })
  const names = [...Object.keys(command.flags), 'help']
  const flags = new Map<string, FlagValue>()
  const positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    if (token.name === 'help') return E.right({ _tag: 'Help', command: name })
    const flag = Object.hasOwn(command.flags, token.name) ? command.flags[token.name] : undefined
    if (flag === undefined) return usageError(`${token.rawName} is not a flag of \`fathom ${name}\`${suggestion(token.name, names, (n) => `--${n}`)}`)
    const value = valueOf(token.name, flag, token.value)
    if (E.isLeft(value)) return value
    flags.set(token.name, value.right)
  }
  const [positional, extra] = positionals
  const { positional: slot } = command
  if (slot?.required === true && positional === undefined) return usageError(`\`fathom ${name}\` needs a ${slot.name}: fathom ${name} ${slot.name.toUpperCase()}`)
  if (extra !== undefined) return usageError(`\`fathom ${name}\` takes one ${slot?.name ?? 'argument'}, got '${positional ?? ''}' and '${extra}'; quote a path that has spaces`)
  return E.right({ _tag: 'Run', command: name, positional, flags })
}

/** What the words after `fathom` ask for. */
export const parse = (args: readonly string[]): E.Either<UsageError, Request> => {
  const [first, ...rest] = args
  if (first === undefined || first === '--help' || first === '-h') return E.right({ _tag: 'Help' })
  if (first === 'help') return rest[0] !== undefined && isCommand(rest[0]) ? E.right({ _tag: 'Help', command: rest[0] }) : E.right({ _tag: 'Help' })
  if (first === '--version' || first === '-V') return E.right({ _tag: 'Version' })
  if (!isCommand(first)) return usageError(`'${first}' is not a command${suggestion(first, Object.keys(commands), (n) => `\`fathom ${n}\``) || `; there are ${Object.keys(commands).join(', ')}`}`)
  return parseCommand(first, rest)
}
