import { describe, expect, it } from 'vitest'
import { byteBudget } from '../../../src/data/folder/byteBudget.ts'
import { nodeFolderReader, type FolderReader } from '../../../src/data/folder/folderReader.node.ts'
import { scanFolder } from '../../../src/data/folder/scanFolder.node.ts'
import { isTruncated } from '../../../src/data/folder/truncation.ts'
import { encoded } from './samplePictures.ts'
import { temporaryFolders } from '../../support/temporaryFolder.ts'

const folderWith = temporaryFolders()
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('byteBudget', () => {
  it('admits what fits, in order, and lets what is larger than all of it in alone', async () => {
    const budget = byteBudget(10)
    const entered: string[] = []
    const enter = (name: string, bytes: number): Promise<() => void> =>
      budget(bytes).then((release) => {
        entered.push(name)
        return release
      })
    const [a, b] = await Promise.all([enter('a', 4), enter('b', 6)])
    const large = enter('large', 99)
    const small = enter('small', 1)
    a()
    await turn()
    expect(entered).toEqual(['a', 'b']) // small would fit, and waits its turn
    b()
    ;(await large)()
    await small
    expect(entered).toEqual(['a', 'b', 'large', 'small'])
  })

  it('admits the next ones as bytes are given back', async () => {
    const budget = byteBudget(10)
    const first = await budget(10)
    let second = false
    const waiting = budget(99).then((release) => {
      second = true
      return release
    })
    await turn()
    expect(second).toBe(false)
    first()
    const release = await waiting
    let third = false
    const last = budget(1).then(() => (third = true))
    await turn()
    expect(third).toBe(false)
    release()
    await last
    expect(third).toBe(true)
  })
})

describe('a scan holds few bytes at once', () => {
  it('of files that must be read whole, no more than 256 MiB together', async () => {
    const webp = await encoded('webp')
    const folder = folderWith(Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`${i}.webp`, webp])))
    const claimed = 2 ** 27 // each says that it has 128 MiB: two at a time
    let [open, most] = [0, 0]
    const fileSystem: FolderReader = {
      ...nodeFolderReader,
      withFile: (path, use) =>
        nodeFolderReader.withFile(path, (file) => {
          const read = async (offset: number, length: number): Promise<Uint8Array> => {
            if (length < claimed) return file.read(offset, Math.min(length, webp.length))
            most = Math.max(most, ++open)
            for (let i = 0; i < 20; i++) await turn()
            open--
            return file.read(0, webp.length)
          }
          const status = async () => ({ ...(await file.status()), bytes: claimed })
          return use({ status, read })
        }),
    }
    await scanFolder(folder, { fileSystem })()
    expect(most).toBe(2)
  })

  it('a PNG of zeros after its head, as a download leaves it, is truncated at the first chunk that is none', async () => {
    const png = await encoded('png')
    const bytes = new Uint8Array(2 ** 20)
    bytes.set(png.subarray(0, 33))
    bytes.set(png.subarray(-12), 33 + 12 * 100) // a hundred steps of 12 bytes would find this end
    expect(isTruncated('png', bytes)).toBe(true)
  })
})
