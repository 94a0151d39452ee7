/** The help, printed from the table of `spec.ts`: of each command one screen, and all of it where it is asked for. */
import type { Command, Flag } from './flag.ts'
import { commands, type CommandName } from './spec.ts'

const usageOf = (name: string, { positional, others, flags }: Command): string => {
  const slot =
    positional === undefined
      ? ''
      : positional.required
        ? ` ${positional.name.toUpperCase()}`
        : ` [${positional.name.toUpperCase()}]`
  const further = others === undefined ? '' : ` ${others.toUpperCase()} …`
  return `fathom ${name}${slot}${further}${Object.keys(flags).length === 0 ? '' : ' [flags]'}`
}

/** Columns of a page. */
const columns = 80

/** Words in lines of so many columns, by length. */
const linesOf = (text: string, width: number): readonly string[] =>
  text.split(' ').reduce<readonly string[]>((lines, word) => {
    const last = lines.at(-1)
    return last === undefined || last.length + 1 + word.length > width
      ? [...lines, word]
      : [...lines.slice(0, -1), `${last} ${word}`]
  }, [])

/** Words below one another, two columns from the edge. */
const wrapped = (text: string): string =>
  linesOf(text, columns - 2)
    .map((line) => `  ${line}`)
    .join('\n')

/** Two columns, of which the right one is wrapped. */
const table = (rows: readonly (readonly [string, string])[]): string => {
  const width = Math.max(...rows.map(([left]) => left.length))
  const row = ([left, right]: readonly [string, string]): string =>
    linesOf(right, columns - width - 4)
      .map((line, i) => `  ${(i === 0 ? left : '').padEnd(width)}  ${line}`)
      .join('\n')
  return rows.map(row).join('\n')
}

/** The page of all commands. */
export const overview = (): string => `fathom: train models on pictures of the sea, or on yours, and draw new ones
Usage: fathom COMMAND [flags]; fathom COMMAND --help, --help-all; fathom --version

${table(Object.entries(commands).map(([name, { summary }]) => [name, summary]))}

Environment: FATHOM_V8_FLAGS=0 leaves the flags of V8 alone, with which WebAssembly
is faster; FATHOM_WEBGPU=0 takes no GPU, FATHOM_WEBGPU=software a simulated one.
Exit codes: 0 done; 1 failed, and one line says why; 2 wrong usage; 130 interrupted.
`

const leftOf = (name: string, { value }: Flag): string => `--${name}${value === undefined ? '' : ` ${value}`}`

/**
 * The page of a command.
 *
 * @param all whether flags that few need are described, or only named; of a command without any the page is the same
 */
export const helpOf = (name: CommandName, all = false): string => {
  const command: Command = commands[name]
  const flags = Object.entries(command.flags)
  const shown = flags.filter(([, { rare }]) => all || rare === undefined)
  const named = flags.filter(([, { rare }]) => !all && rare !== undefined).map(([flag]) => `--${flag}`)
  const { summary, about, more } = command
  const both = (brief: string, words?: string): string => (all && words !== undefined ? `${brief}${words}` : brief)
  const rows = shown.map(([flag, it]) => [leftOf(flag, it), both(it.help, it.more)] as const)
  const rest =
    named.length === 0
      ? ''
      : `\n${wrapped(`More flags: ${named.join(', ')}: \`fathom ${name} --help-all\` describes them.`)}\n`
  const words = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}. ${both(about, more)}`
  return `${usageOf(name, command)}\n\n${wrapped(words)}\n\nFlags\n${table(rows)}\n${rest}`
}
