/**
 * Which processes live, since when, and where: a process number alone proves nothing, since systems use it again, and every
 * container counts from 1.
 */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readFile, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { promisify } from 'node:util'

/**
 * What the lock and the clean-up ask about processes; a port, so that tests can bring processes to life and kill them.
 */
export type Processes = {
  /** This process. */
  readonly pid: number
  /** Whether a process with this number works here; a zombie, which nobody has reaped yet, does not. */
  readonly isAlive: (pid: number) => boolean
  /** A text that differs between two processes that had the same number; undefined where the system does not tell. */
  readonly startTime: (pid: number) => Promise<string | undefined>
  /** The place in which process numbers mean something: machine, boot and PID namespace; undefined where the system does not tell. */
  readonly place: () => Promise<string | undefined>
}

/**
 * proc(5): the fields of stat after the name, which may hold spaces and brackets. Undefined when there is no such process, or /proc
 * shows the processes of another namespace than this one's.
 */
const statOf = (pid: number): readonly string[] | undefined => {
  try {
    if (!readFileSync('/proc/self/stat', 'utf8').startsWith(`${process.pid} `)) return undefined
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

/** States of proc(5) in which a process has ended: zombie, dead. */
const ended = ['Z', 'X', 'x']

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0) // signal 0 only asks
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM' // it exists and belongs to somebody else
  }
  return process.platform !== 'linux' || !ended.includes(statOf(pid)?.[0] ?? '')
}

/** Field 22 of stat is the start in clock ticks since boot. */
const linuxStartTime = async (pid: number): Promise<string | undefined> => {
  const ticks = statOf(pid)?.[19]
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8')
  return ticks === undefined ? undefined : `${boot.trim()}:${ticks}`
}

const printed = async (command: string, ...args: readonly string[]): Promise<string> =>
  (await promisify(execFile)(command, args, { env: { ...process.env, LC_ALL: 'C' } })).stdout.trim()

/** namespaces(7): two processes are in one PID namespace when these links are equal, on one boot of one kernel. */
const linuxPlace = async (): Promise<string> => {
  const [boot, namespace] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    readlink('/proc/self/ns/pid'),
  ])
  return `${hostname()} ${boot.trim()} ${namespace}`
}

/** An answer, or undefined where the system has none. */
const orUnknown = async (answer: Promise<string | undefined>): Promise<string | undefined> =>
  answer.catch(() => undefined)

/**
 * The processes of this machine: start times and place from /proc on Linux, from `ps` and `sysctl` elsewhere, unknown on Windows.
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
    return orUnknown(
      process.platform === 'linux' ? linuxStartTime(pid) : printed('ps', '-o', 'lstart=', '-p', String(pid)),
    )
  },
  place: async () => {
    if (process.platform === 'linux') return orUnknown(linuxPlace())
    if (process.platform !== 'darwin') return undefined
    return orUnknown(printed('sysctl', '-n', 'kern.bootsessionuuid').then((boot) => `${hostname()} ${boot}`))
  },
}
