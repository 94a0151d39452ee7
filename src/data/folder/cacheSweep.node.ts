/**
 * What is cleared out of the cache: what killed processes left half-written, and packs that newer ones of the same folder
 * and the same options replace. Without it each change of one photograph would leave another copy of all.
 *
 * Sweeping is a courtesy: what cannot be removed stays, and no opening fails for it.
 */
import { randomBytes } from 'node:crypto'
import { readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { packGroup } from './packKey.node.ts'
import { isGone, processPlace } from './processPlace.node.ts'

/** A new name beside a pack for what is not it: being written, or being removed. It says by whom. */
export const temporaryName = (key: string): string =>
  `${key}.tmp-${process.pid}-${processPlace()}-${randomBytes(4).toString('hex')}`

const temporary = /^[0-9a-f]{32}\.tmp-(\d+)-([0-9a-f]{8})(-[0-9a-f]{8})?$/
const pack = /^[0-9a-f]{32}$/

/**
 * A process that writes shows every minute that it lives. After a day of silence it does not, whatever two machines'
 * clocks may differ by.
 */
const heartbeatMilliseconds = 60_000
const silenceMilliseconds = 86_400_000

/** Calls `write` and touches `folder` every minute while it runs. */
export const withHeartbeat = async <A>(folder: string, write: () => Promise<A>): Promise<A> => {
  const beat = setInterval(() => {
    const now = new Date()
    utimes(folder, now, now).catch(() => undefined)
  }, heartbeatMilliseconds).unref()
  try {
    return await write()
  } finally {
    clearInterval(beat)
  }
}

const remove = async (path: string): Promise<void> => {
  await rm(path, { recursive: true, force: true }).catch(() => undefined)
}

/** Out of sight in one step, so that a pack is whole or not there; then gone. */
const removePack = async (directory: string, key: string): Promise<void> => {
  const aside = join(directory, temporaryName(key))
  try {
    await rename(join(directory, key), aside)
  } catch {
    return
  }
  await remove(aside)
}

/** Whether nobody writes it any more: its process is gone, or it has been silent for a day. */
const isAbandoned = async (directory: string, name: string, now: number): Promise<boolean> => {
  const [, pid = '', place = '', rest] = temporary.exec(name) ?? []
  if (rest !== undefined && isGone(Number(pid), place)) return true
  try {
    return now - (await stat(join(directory, name))).mtimeMs > silenceMilliseconds
  } catch {
    return false
  }
}

/**
 * Clears the cache around the pack that was just opened.
 *
 * @param now milliseconds since 1970
 */
export const sweepCache = async (directory: string, opened: string, now: number = Date.now()): Promise<void> => {
  const names = await readdir(directory).catch((): readonly string[] => [])
  for (const name of names) {
    if (temporary.test(name)) {
      if (await isAbandoned(directory, name, now)) await remove(join(directory, name))
    } else if (pack.test(name) && name !== opened && packGroup(name) === packGroup(opened)) {
      await removePack(directory, name)
    }
  }
}
