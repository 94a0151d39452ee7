/** Which processes live, and since when: a process number alone proves nothing, since systems use it again. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/**
 * What the lock and the clean-up ask about processes; a port, so that tests can bring processes to life and kill them.
 */
export type Processes = {
  /** This process. */
  readonly pid: number
  /** Whether a process with this number exists. */
  readonly isAlive: (pid: number) => boolean
  /** A text that differs between two processes that had the same number; undefined where the system does not tell. */
  readonly startTime: (pid: number) => Promise<string | undefined>
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0) // signal 0 only asks
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM' // it exists and belongs to somebody else
  }
}

/**
 * proc(5): field 22 of stat is the start in clock ticks since boot; the name in field 2 may hold spaces, so count from
 * its `)`.
 */
const linuxStartTime = async (pid: number): Promise<string> => {
  const [boot, stat] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    readFile(`/proc/${pid}/stat`, 'utf8'),
  ])
  return `${boot.trim()}:${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''}`
}

const psStartTime = async (pid: number): Promise<string> =>
  (
    await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)], { env: { ...process.env, LC_ALL: 'C' } })
  ).stdout.trim()

/**
 * The processes of this machine: start times from /proc on Linux, from `ps` elsewhere, unknown on Windows.
 *
 * @example
 * ```ts
 * import { nodeProcesses } from 'fathom/io'
 *
 * nodeProcesses.isAlive(nodeProcesses.pid) // => true
 * nodeProcesses.isAlive(2 ** 30) // => false
 * ```
 */
export const nodeProcesses: Processes = {
  pid: process.pid,
  isAlive,
  startTime: async (pid) => {
    if (process.platform === 'win32') return undefined
    return (process.platform === 'linux' ? linuxStartTime(pid) : psStartTime(pid)).catch(() => undefined)
  },
}
