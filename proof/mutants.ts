/**
 * `npm run mutants`: plants single bugs into private copies of the source and shows that the tests catch each.
 *
 *     npm run mutants                     all of them; writes docs/proof/mutants.md
 *     npm run mutants -- --only PATTERN   those whose name, area or file matches; writes nothing
 *     npm run mutants -- --missing        those that have no row on the page; adds them
 *     npm run mutants -- --jobs 2         so many at a time (default 2)
 *
 * Exits with 1 when a mutant survives or a run fails.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { mutants } from './mutants/all.ts'
import { copyOf, mutated, withMutant, type Copy } from './mutants/copy.ts'
import type { Mutant } from './mutants/mutant.ts'
import { endTestRuns, runTests, type TestRun } from './mutants/runTests.ts'
import { rowOn, scoreOf, tableOf } from './mutants/table.ts'
import { typeCheckOf, type TypeCheck } from './mutants/typeCheck.ts'
import { verdictOf, type Outcome, type Verdict } from './mutants/verdict.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const page = join(root, 'docs/proof/mutants.md')

/** A mutant whose tests have not ended after this long hangs. */
const timeLimit = 180

const say = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

const chosen = (only: string | undefined, missing: boolean): readonly Mutant[] => {
  if (missing) return mutants.filter((mutant) => rowOn(readFileSync(page, 'utf8'), mutant) === undefined)
  if (only === undefined) return mutants
  const pattern = new RegExp(only, 'iu')
  return mutants.filter(({ name, area, file }) => pattern.test(`${name} ${area} ${file}`))
}

/** The tests that some mutant looks at: where each names a pattern, those that match one; else all of their files. */
const needed = (list: readonly Mutant[]): { readonly pattern?: string } =>
  list.some(({ pattern }) => pattern === undefined)
    ? {}
    : { pattern: [...new Set(list.map(({ pattern = '' }) => `(?:${pattern})`))].join('|') }

/** The tests without any bug: they pass, and each mutant's pattern finds some of them. */
const requireSound = async (copy: Copy, list: readonly Mutant[]): Promise<void> => {
  const tests = [...new Set(list.flatMap((m) => m.tests))]
  const { results, problem }: TestRun = await runTests(copy.root, { tests, ...needed(list), bail: false, seconds: 900 })
  const failed = results.filter((r) => !r.passed)
  if (problem !== undefined && failed.length === 0) throw new Error(`mutants: without a bug: ${problem}`)
  if (failed.length > 0)
    throw new Error(
      `mutants: these tests fail without a bug:\n${failed.map((r) => `  ${r.file}: ${r.title}\n${r.message}`).join('\n')}`,
    )
  for (const { name, tests: files, pattern = '' } of list) {
    const finds = results.some((r) => files.includes(r.file) && new RegExp(pattern, 'u').test(r.title))
    if (!finds) throw new Error(`mutants: '${name}': no test of ${files.join(', ')} matches '${pattern}'`)
  }
  say(`${results.length} tests in ${tests.length} files pass without a bug`)
}

const show: { readonly [K in Verdict['kind']]: string } = {
  caught: 'caught  ',
  survived: 'SURVIVED',
  error: 'ERROR   ',
}

const explain = (verdict: Verdict): string => {
  if (verdict.kind === 'caught') return `${verdict.file} > ${verdict.title}`
  return verdict.kind === 'error' ? verdict.message : ''
}

const tryOne = async (copy: Copy, mutant: Mutant, typeCheck: TypeCheck): Promise<Outcome> => {
  const run = await withMutant(copy, mutant, () => runTests(copy.root, { ...mutant, bail: true, seconds: timeLimit }))
  const typeError = typeCheck(mutant)
  return { mutant, verdict: verdictOf(run), ...(typeError === undefined ? {} : { typeError }) }
}

/** Takes mutants from the list until none is left, as many at a time as there are copies. */
const tryAll = async (
  copies: readonly Copy[],
  list: readonly Mutant[],
  typeCheck: TypeCheck,
): Promise<readonly Outcome[]> => {
  const queue = list.entries()
  const outcomes: Outcome[] = []
  let done = 0
  const worker = async (copy: Copy): Promise<void> => {
    for (const [i, mutant] of queue) {
      const start = performance.now()
      const outcome = await tryOne(copy, mutant, typeCheck)
      outcomes[i] = outcome
      done++
      const seconds = ((performance.now() - start) / 1000).toFixed(1).padStart(5)
      const types = outcome.typeError === undefined ? '' : `  [types: ${outcome.typeError}]`
      say(
        `${String(done).padStart(3)}/${list.length} ${seconds} s  ${show[outcome.verdict.kind]}  ${mutant.name}  ← ${explain(outcome.verdict)}${types}`,
      )
    }
  }
  await Promise.all(copies.map(worker))
  return outcomes
}

interface Options {
  readonly list: readonly Mutant[]
  readonly jobs: number
  readonly writes: boolean
}

const options = (): Options => {
  const { only, jobs, missing } = parseArgs({
    options: {
      only: { type: 'string' },
      missing: { type: 'boolean', default: false },
      jobs: { type: 'string', default: '2' },
    },
  }).values
  const list = chosen(only, missing)
  if (list.length === 0 && !missing) throw new Error(`mutants: none has '${only ?? ''}' in its name, area or file`)
  if (!/^[1-9]\d*$/.test(jobs)) throw new Error(`mutants: --jobs ${jobs} is not a whole number above 0`)
  return { list, jobs: Number(jobs), writes: missing || only === undefined }
}

const main = async (): Promise<number> => {
  const { list, jobs, writes } = options()
  const copies: Copy[] = []
  const clean = (): void => {
    endTestRuns()
    for (const copy of copies) copy.remove()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      clean()
      process.exit(130)
    })
  try {
    for (let i = 0; i <= Math.min(jobs, list.length); i++) copies.push(copyOf(root))
    const [sound, ...own] = copies // the first stays without bugs, for the compiler
    if (sound === undefined) return 1
    for (const mutant of list) mutated(readFileSync(join(sound.root, mutant.file), 'utf8'), mutant) // throws where one does not fit
    const [named, whole] = [list.filter((m) => m.pattern !== undefined), list.filter((m) => m.pattern === undefined)]
    for (const part of [named, whole]) if (part.length > 0) await requireSound(sound, part)
    const outcomes = await tryAll(own, list, typeCheckOf(sound.root))
    const { caught, all } = scoreOf(outcomes)
    say(`${caught} of ${all} caught`)
    for (const { mutant, verdict } of outcomes)
      if (verdict.kind !== 'caught') say(`${show[verdict.kind]}  ${mutant.name} (${mutant.file}) ${explain(verdict)}`)
    if (writes) {
      mkdirSync(dirname(page), { recursive: true })
      writeFileSync(page, tableOf(mutants, outcomes, existsSync(page) ? readFileSync(page, 'utf8') : ''))
    }
    return caught === all ? 0 : 1
  } finally {
    clean()
  }
}

process.exitCode = await main().catch((e: unknown) => {
  console.error(e instanceof Error ? e.message : e)
  return 1
})
