/** The built command as a child process, for tests: `npx tsc` makes it of the source as it is now. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** How a process ended, and what it printed. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A process that runs. */
export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Resolves when what it has printed matches, or it has ended. */
  readonly printed: (pattern: RegExp) => Promise<void>
}

/** Builds the command into a place of its own, inside the repository so that its packages are found. @returns the path of main.js */
export const buildCommand = (name: string): string => {
  const place = `${root}/.cache/command-${name}`
  rmSync(place, { recursive: true, force: true })
  mkdirSync(place, { recursive: true })
  copyFileSync(`${root}/package.json`, `${place}/package.json`)
  const { status, stdout } = spawnSync(
    process.execPath,
    [`${root}/node_modules/@typescript/native/bin/tsc`, '-p', 'tsconfig.build.json', '--outDir', `${place}/dist`],
    { cwd: root, encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`the command does not build:\n${stdout}`)
  return `${place}/dist/cli/main.js`
}

/** Starts the command. @param cwd and env as for `spawn` */
export const start = (
  main: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Running => {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  let [stdout, stderr] = ['', '']
  const watchers = new Set<() => void>()
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    for (const watcher of watchers) watcher()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => {
      resolve({ code, signal, stdout, stderr })
    })
  })
  const printed = (pattern: RegExp): Promise<void> =>
    Promise.race([
      ended.then(() => undefined),
      new Promise<void>((resolve) => {
        const watcher = (): void => {
          if (pattern.test(stdout)) resolve()
        }
        watchers.add(watcher)
        watcher()
      }),
    ])
  return { child, ended, printed }
}

/** Runs the command to its end. */
export const run = (
  main: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Ended> => start(main, args, options).ended

/** A program that runs the command again and again: all that it is made of is loaded once. It prints how each has ended, as JSON. */
const again = `
const [, main, lists] = process.argv
const outputs = [process.stdout, process.stderr].map((stream) => ({ stream, write: stream.write.bind(stream) }))
for (const { stream } of outputs) stream.setMaxListeners(0) // each listens to its outputs
const ended = []
for (const [i, args] of JSON.parse(lists).entries()) {
  const texts = ['', '']
  for (const [k, { stream }] of outputs.entries()) stream.write = (text) => ((texts[k] += text), true)
  process.argv = [process.execPath, main, ...args]
  process.exitCode = undefined
  await import(main + '?' + i)
  for (const { stream, write } of outputs) stream.write = write
  ended.push({ code: process.exitCode, signal: null, stdout: texts[0], stderr: texts[1] })
}
process.exitCode = 0
process.stdout.write(JSON.stringify(ended))
`

/** Runs the command with each of some arguments, one behind the other in one process: to start one for each takes longer than what they do. */
export const runEach = async (
  main: string,
  lists: readonly (readonly string[])[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<readonly Ended[]> => {
  const url = pathToFileURL(main).href
  const { code, stdout, stderr } = await run(
    '--input-type=module',
    ['--eval', again, url, JSON.stringify(lists)],
    options,
  )
  if (code !== 0) throw new Error(`the commands did not run: ${stderr}`)
  return JSON.parse(stdout) as readonly Ended[]
}
