/** What was measured of GPUs, in a file of the user's cache. */
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isRecord } from '../../prelude/record.ts'
import { userCache } from '../../prelude/userCache.node.ts'
import type { TunedStore } from './tuned.ts'
import type { Forms } from './tuning.ts'

const isForms = (x: unknown): x is Forms => isRecord(x) && Object.values(x).every((form) => typeof form === 'string')

/** The file of a GPU. A file that cannot be read counts as empty, and one that cannot be written is not: measuring again costs seconds. */
export const fileStore = (gpu: string): TunedStore => {
  const name = createHash('sha256').update(gpu).digest('hex').slice(0, 16)
  const path = userCache('webgpu', `${name}.json`)
  const load = async (): Promise<Forms> => {
    try {
      const found: unknown = JSON.parse(await readFile(path, 'utf8'))
      return isRecord(found) && found['gpu'] === gpu && isForms(found['forms']) ? found['forms'] : {}
    } catch {
      return {}
    }
  }
  return {
    where: path,
    load,
    forget: () => rm(path, { force: true }),
    save: async (forms) => {
      const temporary = `${path}.${randomUUID()}`
      try {
        await mkdir(dirname(path), { recursive: true })
        const all = { ...(await load()), ...forms } // other programs may have measured meanwhile
        await writeFile(temporary, `${JSON.stringify({ gpu, forms: all }, undefined, 2)}\n`)
        await rename(temporary, path)
      } catch {
        await rm(temporary, { force: true }).catch(() => undefined)
      }
    },
  }
}
