#!/usr/bin/env node
/** The `fathom` command: parses its arguments, calls the library, prints, and sets the exit code. */
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { E } from '../prelude/fp.ts'
import { runReconstruct, runTrainVae } from './autoencoders.ts'
import { runBench } from './bench.ts'
import { runClassify, runTrainClassifier } from './classifiers.ts'
import { runCompare } from './compare.ts'
import { runDoctor } from './doctor.ts'
import { runEncode } from './encode.ts'
import { runEval } from './eval.ts'
import { runExport, runImport } from './diffusers.ts'
import { helpOf, overview } from './help.ts'
import { parse, type Request } from './parse.ts'
import { printable } from '../prelude/printable.ts'
import { runSample, runScan } from './pictures.ts'
import { complain } from './terminal.ts'
import type { Outcome } from './outcome.ts'
import { runResume, runTrain } from './runs.ts'
import { runTrainText, runWrite } from './texts.ts'

const version = (): string => {
  const decoded: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return typeof decoded === 'object' && decoded !== null && 'version' in decoded ? String(decoded.version) : 'unknown'
}

const said = (text: string): Outcome => {
  process.stdout.write(text)
  return { code: 0 }
}

const answer = async (request: Request): Promise<Outcome> => {
  if (request._tag === 'Help')
    return said(request.command === undefined ? overview() : helpOf(request.command, request.all))
  if (request._tag === 'Version') return said(`${version()}\n`)
  const { command, positional = '', flags } = request
  switch (command) {
    case 'train':
      return runTrain(request.positional, flags)
    case 'train-vae':
      return runTrainVae(request.positional, flags)
    case 'train-classifier':
      return runTrainClassifier(request.positional, flags)
    case 'train-text':
      return runTrainText(request.positional, flags)
    case 'resume':
      return runResume(positional, flags)
    case 'sample':
      return runSample(positional, flags)
    case 'classify':
      return runClassify(positional, request.others, flags)
    case 'write':
      return runWrite(positional, flags)
    case 'encode':
      return runEncode(request.positional, flags)
    case 'reconstruct':
      return runReconstruct(positional, flags)
    case 'eval':
      return runEval(positional, flags)
    case 'compare':
      return runCompare(positional, flags)
    case 'import':
      return runImport(positional, flags)
    case 'export':
      return runExport(positional, flags)
    case 'scan':
      return runScan(positional, flags)
    case 'doctor':
      return runDoctor(flags)
    case 'bench':
      return runBench(flags)
  }
}

const main = async (args: readonly string[]): Promise<Outcome> => {
  const request = parse(args)
  if (E.isLeft(request)) return { code: 2, message: `${request.left.message} (\`fathom --help\`)` }
  return answer(request.right)
}

// A reader that goes away (`| head`), a terminal that is closed, a full disk behind `>`: none must end a training run, nor change
// the exit code.
process.stdout.on('error', () => undefined)
process.stderr.on('error', () => undefined)

try {
  const { code, message } = await main(process.argv.slice(2))
  process.exitCode = code
  if (message !== undefined) complain(message)
} catch (error) {
  process.exitCode = 1
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stderr.write(`fathom: this is a bug of fathom, please report it: ${printable(what, { lines: true })}\n`)
}
