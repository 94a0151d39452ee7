/** A process that answers each line with a line of JSON: what is compared runs in processes of its own, and takes turns. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** An answer. */
export type Answer = Readonly<Record<string, unknown>>

/** A running process. */
export interface LineProcess {
  /** What it said when it was ready. */
  readonly ready: Answer
  /** Sends a line and waits for the answer. Rejects when the process ends instead. */
  readonly ask: (line: string) => Promise<Answer>
  readonly close: () => void
}

/** Starts a process and waits until it is ready. Its errors go to this process' own. */
export const startProcess = async (command: string, args: readonly string[]): Promise<LineProcess> => {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  child.stdin.on('error', () => undefined) // a process that has ended is reported by what follows
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject)
  })
  failed.catch(() => undefined)
  const next = async (): Promise<Answer> => {
    const line = await Promise.race([lines.next(), failed])
    if (line.done === true) throw new Error(`${[command, ...args].join(' ')} ended without an answer`)
    return JSON.parse(line.value) as Answer
  }
  const ready = await next()
  return {
    ready,
    ask: async (line) => {
      child.stdin.write(`${line}\n`)
      return next()
    },
    close: () => {
      child.stdin.end()
    },
  }
}

/** A number of an answer. */
export const numberOf = (answer: Answer, name: string): number => {
  const value = answer[name]
  if (typeof value !== 'number') throw new Error(`an answer lacks ${name}: ${JSON.stringify(answer)}`)
  return value
}
