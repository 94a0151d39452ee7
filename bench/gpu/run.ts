/**
 * All stages on this machine, one after the other, each in a process of its own and with a time limit. Rows are kept as they come, so that a run that is
 * ended early leaves what it has.
 *
 *     node scripts/node24.mjs bench/gpu/main.ts [--out results] [--minutes 5] [--mac] [--only facts,kernels] [--software] [--small]
 *
 * Leaves `rows.jsonl`, `results.json`, `report.txt` and `log.txt` in the folder. Fails where a stage did, or a check.
 */
import { spawn } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join, resolve } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { findPython } from '../peers/python.ts'
import { convName, full, gemmName, networkName, small } from './cases.ts'
import { onMac, withTorch, type Stage } from './plan.ts'
import { comparedLosses, report } from './report.ts'
import { rowOfLine, type EndRow, type Row } from './rows.ts'
import { rates } from './rates.ts'

/** How a run is asked for. */
interface RunOptions {
  readonly out: string
  readonly seconds: number
  readonly software: boolean
  readonly small: boolean
  readonly mac: boolean
  readonly only: readonly string[] | undefined
}

/** A program that plays a GPU takes so many times as long. */
const softwareFactor = 30

const optionsOf = (args: readonly string[]): RunOptions => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      out: { type: 'string', default: 'results' },
      minutes: { type: 'string' },
      only: { type: 'string' },
      software: { type: 'boolean', default: false },
      small: { type: 'boolean', default: false },
      mac: { type: 'boolean', default: false },
    },
  })
  const minutes = Number(values.minutes ?? (values.software ? 5 * softwareFactor : 5))
  if (!(minutes > 0)) throw new Error(`--minutes takes a number above 0, got '${values.minutes ?? ''}'`)
  const known = (values.mac ? onMac : withTorch).map(({ name }) => name)
  const only = values.only?.split(',')
  const unknown = only?.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new Error(`--only: there is no stage '${unknown}'; choose of ${known.join(', ')}`)
  const { software, mac } = values
  return { out: resolve(values.out), seconds: 60 * minutes, software, small: values.small, mac, only }
}

/** What Python's scripts are told: the same work under the same names. */
const casesForPython = (options: RunOptions, exchange: string): object => {
  const cases = options.small ? small : full
  const { gemms, convs, published, lucidrains } = cases
  return {
    gemms: gemms.map((n) => ({ name: gemmName(n), n })),
    convs: convs.map((c) => ({
      ...c,
      forward: convName(c, 'forward'),
      inputGradient: convName(c, 'input gradient'),
      filterGradient: convName(c, 'filter gradient'),
    })),
    published: { ...published, name: networkName(published) },
    lucidrains: { ...lucidrains, name: networkName(lucidrains) },
    rates,
    seconds: cases.seconds,
    rounds: cases.rounds,
    exchange,
    software: options.software,
  }
}

/** What a stage runs with. */
interface Context {
  readonly options: RunOptions
  /** The folder of weights, inputs and cases. */
  readonly exchange: string
  readonly python: string | undefined
  readonly keep: (row: Row) => void
  readonly log: (text: string) => void
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const commandOf = (
  { side, command, tune = false }: Stage,
  { options, exchange, python }: Context,
): readonly [string, ...string[]] => {
  const [first = '', ...rest] = command
  if (side !== 'fathom') return [python ?? 'python3', here(first), join(exchange, 'cases.json'), ...rest]
  const { software, small } = options
  const told = { software, small, tune, exchange: tune ? undefined : exchange }
  return [process.execPath, here(`stage${extname(import.meta.url)}`), first, JSON.stringify(told)]
}

/** The line of what a program complained of that says why it ended. */
const reasonIn = (errors: string): string => {
  const lines = errors.split('\n').filter((line) => line.trim() !== '')
  return lines.findLast((line) => /^(?:\w*Error|Unavailable)\b/.test(line)) ?? lines.at(-1) ?? 'see log.txt'
}

/** Runs a command to its end, or to its limit. @returns what went wrong */
const toEnd = async (
  [command, ...args]: readonly [string, ...string[]],
  limit: number,
  { options, keep, log }: Context,
): Promise<string | undefined> => {
  const env = { ...process.env, XDG_CACHE_HOME: join(options.out, 'cache'), PYTHONDONTWRITEBYTECODE: '1' }
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env })
  let [isLate, fault]: [boolean, string | undefined] = [false, undefined]
  const timer = setTimeout(() => {
    isLate = true
    child.kill('SIGKILL')
  }, 1000 * limit)
  let errors = ''
  child.stderr.on('data', (text: Buffer) => {
    log(text.toString())
    errors = `${errors}${text.toString()}`.slice(-4000)
  })
  createInterface({ input: child.stdout }).on('line', (line) => {
    try {
      const row = rowOfLine(line)
      if (row === undefined) log(`${line}\n`)
      else {
        keep(row)
        if (row.kind === 'check' && !row.ok) fault ??= `a check failed: ${row.name}`
      }
    } catch (e) {
      fault ??= e instanceof Error ? e.message : String(e)
    }
  })
  const ended = await new Promise<string | undefined>((done) => {
    child.once('error', (e) => {
      done(e.message)
    })
    child.once('close', (code, signal) => {
      done(code === 0 ? undefined : `it ended with ${code ?? signal ?? 'nothing'}: ${reasonIn(errors)}`)
    })
  })
  clearTimeout(timer)
  return isLate ? `it took longer than ${limit.toFixed(0)} s, and was ended` : (fault ?? ended)
}

const now = (): number => performance.now() / 1000

const runStage = async (stage: Stage, left: number, context: Context): Promise<EndRow> => {
  const { options, python, log } = context
  const end = (ok: boolean, seconds: number, why?: string): EndRow => ({
    kind: 'end',
    stage: stage.name,
    ok,
    seconds,
    ...(why === undefined ? {} : { why }),
  })
  if (stage.side === 'torch' && python === undefined)
    return end(true, 0, 'not run: no Python with PyTorch was found (PYTHON=/path names one)')
  if (stage.tune === true && options.software)
    return end(true, 0, 'not run: a program that plays a GPU has one form of each contraction')
  if (left < 5) return end(stage.optional === true, 0, 'not run: the time was up (--minutes gives more)')
  log(`\n== ${stage.name}: ${stage.title}\n`)
  const start = now()
  const limit = Math.min(stage.limit * (options.software ? softwareFactor : 1), left)
  const why = await toEnd(commandOf(stage, context), limit, context)
  const wasCut = why?.startsWith('it took longer') === true
  return end(why === undefined || (wasCut && stage.optional === true), now() - start, why)
}

const contextOf = (options: RunOptions, rows: Row[]): Context => {
  mkdirSync(options.out, { recursive: true })
  const [rowsFile, logFile] = [join(options.out, 'rows.jsonl'), join(options.out, 'log.txt')]
  for (const file of [rowsFile, logFile]) writeFileSync(file, '')
  const exchange = mkdtempSync(join(tmpdir(), 'fathom-gpu-'))
  writeFileSync(join(exchange, 'cases.json'), JSON.stringify(casesForPython(options, exchange)))
  return {
    options,
    exchange,
    python: findPython(),
    keep: (row) => {
      rows.push(row)
      appendFileSync(rowsFile, `${JSON.stringify(row)}\n`)
    },
    log: (text) => {
      appendFileSync(logFile, text)
    },
  }
}

/** Runs all stages. @returns whether all went well */
export const runAll = async (args: readonly string[]): Promise<boolean> => {
  const options = optionsOf(args)
  const rows: Row[] = []
  const context = contextOf(options, rows)
  const start = now()
  const say = (text: string): void => void process.stdout.write(`${text}\n`)
  for (const stage of options.mac ? onMac : withTorch) {
    if (options.only?.includes(stage.name) === false) continue
    const end = await runStage(stage, options.seconds - (now() - start), context)
    context.keep(end)
    say(
      `${end.ok ? 'ok    ' : 'FAILED'} ${stage.title} (${end.seconds.toFixed(1)} s)${end.why === undefined ? '' : `: ${end.why}`}`,
    )
  }
  comparedLosses(rows).forEach(context.keep)
  rmSync(context.exchange, { recursive: true, force: true })
  const text = report(rows)
  writeFileSync(join(options.out, 'results.json'), `${JSON.stringify(rows, undefined, 1)}\n`)
  writeFileSync(join(options.out, 'report.txt'), text)
  const failed = rows.filter((row) => (row.kind === 'end' || row.kind === 'check') && !row.ok)
  say(
    `\n${text}\n${failed.length === 0 ? 'all went well' : `${failed.length} stages or checks FAILED`}, in ${(now() - start).toFixed(0)} s; see ${options.out}`,
  )
  return failed.length === 0
}
