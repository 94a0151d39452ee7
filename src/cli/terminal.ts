/**
 * Where the command prints. Whatever it prints passes here, so that nothing of a foreign run directory or file name is obeyed by the
 * terminal; only the line of progress moves the cursor itself.
 */
import process from 'node:process'
import { printable } from '../prelude/printable.ts'

/** Prints lines. */
export const say = (text: string): void => {
  process.stdout.write(`${printable(text, { lines: true })}\n`)
}

/** Prints a line that a person should know of, beside what was asked for. */
export const note = (text: string): void => {
  process.stderr.write(`  note      ${printable(text)}\n`)
}

/** Prints one line on the error stream: why the command failed. */
export const complain = (text: string): void => {
  process.stderr.write(`fathom: ${printable(text)}\n`)
}
