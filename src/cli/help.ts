/** The help, printed from the table of `spec.ts`. */
import type { Command } from './flag.ts'
import { commands, type CommandName } from './spec.ts'

const usageOf = (name: string, { positional, flags }: Command): string => {
  const slot =
    positional === undefined
      ? ''
      : positional.required
        ? ` ${positional.name.toUpperCase()}`
        : ` [${positional.name.toUpperCase()}]`
  return `fathom ${name}${slot}${Object.keys(flags).length === 0 ? '' : ' [flags]'}`
}

const table = (rows: readonly (readonly [string, string])[]): string => {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}   ${right}`).join('\n')
}

/** Words in lines of at most 100 columns. */
const wrapped = (text: string): string => text.replaceAll(/(.{1,98})(?:\s|$)/g, '  $1\n').trimEnd()

/** The page of all commands. */
export const overview = (): string => `fathom: train diffusion models on pictures of the sea, and draw new ones

Usage
${table(Object.entries(commands).map(([name, command]) => [usageOf(name, command), command.summary]))}
  fathom COMMAND --help and fathom --version

Environment: FATHOM_V8_FLAGS=0 leaves the flags of V8 alone, with which WebAssembly is faster; FATHOM_WEBGPU=0 takes no
GPU, and FATHOM_WEBGPU=software takes one that is played on the processor, as tests do.
Exit codes: 0 done; 1 it failed, and one line says why; 2 wrong usage; 130 interrupted, and saved.
`

/** The page of a command. */
export const helpOf = (name: CommandName): string => {
  const command: Command = commands[name]
  const flags = [
    ...Object.entries(command.flags).map(
      ([flag, { value, help }]) => [`--${flag}${value === undefined ? '' : ` ${value}`}`, help] as const,
    ),
    ['--help', 'print this page'] as const,
  ]
  return `${usageOf(name, command)}\n\n${wrapped(`${command.summary.charAt(0).toUpperCase()}${command.summary.slice(1)}. ${command.about}`)}\n\nFlags\n${table(flags)}\n`
}
