/** Surroundings in which devices are lost as a test wants it, and time goes as fast as it can. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { E, TE } from '../../src/prelude/fp.ts'
import { deviceOn } from '../../src/tensor/device.ts'
import type { Surroundings } from '../../src/train/recovery.ts'
import type { subjectOf } from '../../src/train/tasks/registry.node.ts'
import type { Subject } from '../../src/train/tasks/subject.ts'
import { trainError } from '../../src/train/trainError.ts'
import type { Task } from '../../src/train/index.ts'
import { losableBackend, type Fate, type Losable } from '../support/losableBackend.ts'
import { linePoints, lineTask, type Line, type Points } from './lineTask.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'

/** What becomes of a device: or that it cannot be opened. */
export type Lot = Fate | 'cannot be opened'

/** Surroundings, and what has happened in them. */
export interface Watched extends Surroundings {
  readonly opened: readonly Losable[]
  /** The device of the checkpoint that each was opened for. */
  readonly asked: readonly (string | undefined)[]
  /** Milliseconds that were waited. */
  readonly pauses: readonly number[]
}

/**
 * Each device that is opened has the next lot; those after the last are sound.
 *
 * @param onPause called when the run waits, with how many milliseconds; returns how many more pass
 */
export const surroundingsOf = (lots: readonly Lot[], onPause: (ms: number) => number = () => 0): Watched => {
  const opened: Losable[] = []
  const asked: (string | undefined)[] = []
  const pauses: number[] = []
  const left = lots.values()
  let now = 1_800_000_000_000
  return {
    opened,
    asked,
    pauses,
    open: (_, __, earlier) => async () => {
      asked.push(earlier?.device)
      const { value: lot = {} } = left.next()
      if (lot === 'cannot be opened') return E.left(trainError('DEVICE', 'no adapter was found'))
      const losable = losableBackend(lot)
      opened.push(losable)
      return E.right(deviceOn(losable.backend))
    },
    now: () => now,
    pause: async (milliseconds) => {
      pauses.push(milliseconds)
      now += milliseconds + onPause(milliseconds)
    },
  }
}

/** A line, whose sheets are computed and read. */
const drawnLine: Task<Line, Points, Tensor> = {
  ...lineTask,
  sheets: (device) => {
    const heightAt = device.compile(({ slope, height }: Line, x: Tensor) => slope.mul(x).add(height))
    return (line) => async () =>
      E.right({
        extension: 'txt',
        bytes: new TextEncoder().encode(String(await device.item(await heightAt(line, 0.5)))),
      })
  },
}

const line: Subject<Line, Points, Tensor> = {
  task: drawnLine,
  with: () => line,
  open: () => TE.right(linePoints),
  survey: () => TE.right({ summary: '', warnings: [] }),
  requireLeast: () => E.right(undefined),
  measureRate: () => Promise.resolve(1),
}

/** Every configuration trains a line. */
export const lineSubject: typeof subjectOf = () => (use) => use(line)

/** All files of a run by name, without how fast it was. */
export const filesOf = (run: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(run, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted()
      .map((path) => [
        path.slice(run.length + 1),
        readFileSync(path, 'latin1').replaceAll(/,"(points|images)PerSecond":[^}]*/g, ''),
      ]),
  )
