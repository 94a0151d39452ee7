/** What a run leaves behind, in a form that tests compare. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The names of a run's checkpoints, oldest first. */
export const checkpoints = (run: string): readonly string[] =>
  readdirSync(join(run, 'checkpoints'))
    .filter((name) => name.startsWith('step-'))
    .toSorted()

/** SHA-256 of every file of a checkpoint, by name. */
export const fingerprints = (run: string, checkpoint: string): Readonly<Record<string, string>> => {
  const directory = join(run, 'checkpoints', checkpoint)
  return Object.fromEntries(
    readdirSync(directory)
      .toSorted()
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(join(directory, name)))
          .digest('hex'),
      ]),
  )
}

/** The steps in a run's metrics, in the order of the file. */
export const metricSteps = (run: string): readonly number[] =>
  readFileSync(join(run, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { step: number }).step)
