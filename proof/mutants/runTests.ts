/** vitest as a child process: which tests ran, and how each ended. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'

/** How a test ended. */
export interface TestResult {
  /** Path from the root of the copy. */
  readonly file: string
  /** The titles of its groups and its own, one after the other. */
  readonly title: string
  readonly passed: boolean
  /** What it said when it failed. */
  readonly message: string
}

/** What a run of vitest came to. `problem` is set when it ended without running tests: a file that cannot be loaded, a hang. */
export interface TestRun {
  readonly results: readonly TestResult[]
  readonly problem?: string
}

/** What to run. */
export interface TestRunOptions {
  readonly tests: readonly string[]
  /** A regular expression over full titles; absent: all. */
  readonly pattern?: string
  /** Whether the first failure ends the run. */
  readonly bail: boolean
  /** After this long the run is ended from outside. */
  readonly seconds: number
}

/** The part of vitest's JSON report that is read here. */
interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message: string
    readonly assertionResults: readonly {
      readonly fullName: string
      readonly status: string
      readonly failureMessages?: readonly string[]
    }[]
  }[]
}

const running = new Set<number>()

/** Ends a vitest with its workers, which are one group. */
const end = (pid: number): void => {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // it has ended by itself
  }
}

/** Ends every vitest that is still running. */
export const endTestRuns = (): void => {
  for (const pid of running) end(pid)
}

const execute = async (root: string, args: readonly string[], seconds: number): Promise<'ended' | 'hung'> => {
  const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...args], {
    cwd: root,
    stdio: 'ignore',
    detached: true, // a group of its own, which can be ended as a whole
    env: { ...process.env, CI: '1' },
  })
  const { pid } = child
  if (pid !== undefined) running.add(pid)
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      if (pid !== undefined) end(pid)
      resolve('hung')
    }, seconds * 1000)
    child.on('error', reject)
    child.on('exit', () => {
      clearTimeout(timer)
      if (pid !== undefined) running.delete(pid)
      resolve('ended')
    })
  })
}

const readReport = (root: string, path: string): TestRun => {
  if (!existsSync(path)) return { results: [], problem: 'vitest ended without a report' }
  const { testResults } = JSON.parse(readFileSync(path, 'utf8')) as Report
  const results = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'passed' || status === 'failed')
      .map(({ fullName, status, failureMessages = [] }) => ({
        file: relative(root, name),
        title: fullName.trim(),
        passed: status === 'passed',
        message: failureMessages.join('\n'),
      })),
  )
  const broken = testResults.find((file) => file.status === 'failed' && file.message !== '')
  return broken === undefined ? { results } : { results, problem: broken.message.split('\n')[0] ?? '' }
}

/** Runs tests in the copy at `root`. */
export const runTests = async (root: string, { tests, pattern, bail, seconds }: TestRunOptions): Promise<TestRun> => {
  const report = join(root, 'report.json')
  rmSync(report, { force: true })
  const args = [
    ...tests,
    '--config=proof/mutants/vitest.config.ts',
    '--reporter=json',
    `--outputFile=${report}`,
    ...(pattern === undefined ? [] : ['-t', pattern]),
    ...(bail ? ['--bail=1'] : []),
  ]
  const how = await execute(root, args, seconds)
  return how === 'hung' ? { results: [], problem: `no end after ${seconds} s` } : readReport(root, report)
}
