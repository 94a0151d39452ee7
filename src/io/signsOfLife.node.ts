/**
 * Signs of life: a file that its owner writes to every few seconds, so that others, who cannot see the owner's process (another
 * container, another machine on a shared disk), know whether it lives.
 *
 * The signs come from a thread of their own: a trainer that compiles or computes keeps its main thread busy for half a minute. How
 * old a sign is, the disk's own clock says, by the time that it gives a fresh file: clocks of two machines may differ.
 */
import { randomUUID } from 'node:crypto'
import { rm, stat, writeFile } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import type { TE } from '../prelude/fp.ts'
import type { FileSystemError } from './fileSystem.ts'
import { attempt } from './fileSystem.node.ts'

/** Giving and seeing signs of life; a port, so that tests need not wait. */
export type SignsOfLife = {
  /** Writes to the file every few milliseconds, as long as its text is the given one. @returns a function that ends it */
  readonly give: (path: string, text: string, milliseconds?: number) => () => void
  /** Seconds since the last sign. */
  readonly silence: (path: string) => TE.TaskEither<FileSystemError, number>
}

/** Milliseconds between two signs. */
const usually = 5000

/** Seconds of silence after which an owner that cannot be seen counts as dead: twelve signs are missing. */
export const longSilence = 60

/**
 * The first byte is written over by itself: that alone changes the time, by the clock of the disk's machine. Whatever fails (the disk,
 * a lock that somebody else has) is tried again later. JavaScript: a worker beside this file would have another name once it is built.
 */
const workerCode = `
const { workerData: { path, text, milliseconds } } = require('node:worker_threads')
const { closeSync, fsyncSync, openSync, readFileSync, writeSync } = require('node:fs')
const give = () => {
  try {
    if (readFileSync(path, 'utf8') !== text) return
    const file = openSync(path, 'r+')
    try { writeSync(file, text.slice(0, 1), 0); fsyncSync(file) } finally { closeSync(file) }
  } catch {}
}
setInterval(give, milliseconds)
`

const give: SignsOfLife['give'] = (path, text, milliseconds = usually) => {
  const workerData = { path, text, milliseconds }
  const worker = new Worker(workerCode, { eval: true, workerData, execArgv: [] })
  worker.on('error', () => undefined) // no memory for a thread, say: the run itself goes on
  worker.unref()
  return () => {
    void worker.terminate()
  }
}

const secondsOfSilence = async (path: string): Promise<number> => {
  const probe = `${path}.probe-${randomUUID()}`
  try {
    await writeFile(probe, '?')
    const [now, last] = await Promise.all([stat(probe), stat(path)])
    return Math.max(0, now.mtimeMs - last.mtimeMs) / 1000
  } finally {
    await rm(probe, { force: true })
  }
}

/** Signs of life on the disks of this machine. */
export const nodeSignsOfLife: SignsOfLife = {
  give,
  silence: (path) => attempt('see the age of', path, () => secondsOfSilence(path)),
}
