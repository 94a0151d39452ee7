#!/usr/bin/env node
/** The `fathom` command: parses its arguments, calls the library, prints, and sets the exit code. */
import { readFileSync } from 'node:fs'
import process from 'node:process'

const usage = `fathom: tensors, autodiff and diffusion models in TypeScript

Usage
  fathom --help       print this page
  fathom --version    print the version
`

const version = (): string => {
  const decoded: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return typeof decoded === 'object' && decoded !== null && 'version' in decoded ? String(decoded.version) : 'unknown'
}

const [argument] = process.argv.slice(2)
if (argument === '--version') process.stdout.write(`${version()}\n`)
else if (argument === undefined || argument === '--help') process.stdout.write(usage)
else {
  process.stderr.write(`fathom: '${argument}' is not a command; \`fathom --help\` lists what there is\n`)
  process.exitCode = 2
}
