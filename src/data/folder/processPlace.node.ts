/**
 * Whether a process that left its number somewhere still lives. A number means something only where it was given: on
 * the same machine, since the same start, in the same PID namespace. From another container every living process looks
 * dead.
 */
import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

const placeText = (): string | undefined => {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${hostname()} ${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return undefined // not Linux: nothing tells machines and starts apart for certain
  }
}

/** Names that are not known to be of one place are of none. */
export const unknownPlace = '00000000'

/** Eight hexadecimal digits for where this process's number was given. */
export const processPlace = (): string => {
  const text = placeText()
  return text === undefined ? unknownPlace : createHash('sha256').update(text).digest('hex').slice(0, 8)
}

/** Whether a process is certain to be gone: its number was given here, and nobody has it. */
export const isGone = (pid: number, place: string): boolean => {
  if (place === unknownPlace || place !== processPlace()) return false
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH'
  }
}
