/** Which pictures of a folder show the same photograph: looked for once, for it takes half a minute for two thousand, and kept in the user's cache. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { nearDuplicates, type FolderImageSet, type NearDuplicates } from '../../data/index.ts'
import { makeDurableDirectory, replaceFile } from '../../io/index.ts'
import { userCache } from '../../prelude/userCache.node.ts'
import { pipe, TE } from '../../prelude/fp.ts'
import { isRecord } from '../../prelude/record.ts'
import type { Told } from './told.ts'

/** What was found: the groups, and a sentence about them, empty where there is nothing to say. */
type Groups = Pick<NearDuplicates, 'groups' | 'summary'>

/** Changes when others would be found. */
const version = 1

const fileOf = ({ fingerprint, count, height, width, channels }: FolderImageSet): string => {
  const what = JSON.stringify(['groups', version, fingerprint, count, height, width, channels])
  return userCache('groups', `${createHash('sha256').update(what).digest('hex').slice(0, 32)}.json`)
}

const isGroups = (x: unknown, count: number): x is Groups => {
  if (!isRecord(x) || typeof x['summary'] !== 'string' || !Array.isArray(x['groups'])) return false
  const { groups } = x
  return groups.length === count && groups.every((group) => Number.isInteger(group) && group >= 0 && group < count)
}

/** What was found before; undefined where nothing was, or the file is no such. */
const kept = async (file: string, count: number): Promise<Groups | undefined> => {
  try {
    const found: unknown = JSON.parse(await readFile(file, 'utf8'))
    return isGroups(found, count) ? found : undefined
  } catch {
    return undefined
  }
}

/** The groups of a folder's pictures. A cache that cannot be written costs the time of looking again. */
export const groupsOf = async (set: FolderImageSet, tell: Told): Promise<Groups> => {
  const file = fileOf(set)
  const before = await kept(file, set.count)
  if (before !== undefined) return before
  tell('compared', 0)
  const { groups, summary } = nearDuplicates(set, { onProgress: (share) => tell('compared', share) })
  await pipe(
    makeDurableDirectory(dirname(file)),
    TE.chain(() => replaceFile(file, new TextEncoder().encode(JSON.stringify({ groups, summary })))),
  )()
  return { groups, summary }
}
