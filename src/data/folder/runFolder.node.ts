/**
 * Whether a folder is a run of fathom: its sheets of samples and its checkpoints are no photographs. A run begun inside
 * the photograph folder would otherwise train on its own pictures from the second time on.
 *
 * A name alone does not decide, since people have folders `samples` and files `config.json` too: the configuration is
 * read.
 */
import { join } from 'node:path'
import { isRecord } from '../../prelude/record.ts'
import type { Entry, FolderReader } from './folderReader.node.ts'

const configuration = 'config.json'

/** What stands beside a run's configuration, from its first second on or later. */
const companions = new Set(['checkpoints', 'samples', 'metrics.jsonl', 'first-batch.png', 'loss.svg', 'lock'])

/** Larger than any configuration. */
const maxConfigurationBytes = 65536

const settings = ['batch', 'steps', 'saveEvery', 'sampleEvery']

const isConfiguration = (text: string): boolean => {
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) && settings.every((name) => typeof value[name] === 'number')
  } catch {
    return false
  }
}

/** Whether `folder`, whose entries are given, is the directory of a run. One that cannot be read is none. */
export const isRunFolder = async (
  fileSystem: FolderReader,
  folder: string,
  entries: readonly Entry[],
): Promise<boolean> => {
  const names = new Set(entries.map(({ name }) => Buffer.from(name).toString('latin1')))
  if (!names.has(configuration) || ![...companions].some((name) => names.has(name))) return false
  try {
    return await fileSystem.withFile(join(folder, configuration), async (file) => {
      const { kind, bytes } = await file.status()
      if (kind !== 'file' || bytes > maxConfigurationBytes) return false
      return isConfiguration(Buffer.from(await file.read(0, bytes)).toString('utf8'))
    })
  } catch {
    return false
  }
}
