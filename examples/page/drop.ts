/** Files that are dropped on a page, those in folders too. */

const filesOf = (entry: FileSystemFileEntry): Promise<File> =>
  new Promise((resolve, reject) => {
    entry.file(resolve, reject)
  })

/** A folder gives its entries in parts, until there are no more. */
const entriesOf = async (folder: FileSystemDirectoryEntry): Promise<readonly FileSystemEntry[]> => {
  const reader = folder.createReader()
  const all: FileSystemEntry[] = []
  for (;;) {
    const part = await new Promise<readonly FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject)
    })
    if (part.length === 0) return all
    all.push(...part)
  }
}

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile
const isFolder = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory

const filesIn = async (entry: FileSystemEntry): Promise<readonly File[]> => {
  if (entry.name.startsWith('.')) return [] // what systems leave in folders
  if (isFile(entry)) return [await filesOf(entry)]
  return isFolder(entry) ? (await Promise.all((await entriesOf(entry)).map(filesIn))).flat() : []
}

/** All files of a drop, in the order of their names: the same files train the same network. */
export const filesDropped = async ({ items, files }: DataTransfer): Promise<readonly File[]> => {
  const entries = [...items].map((item) => item.webkitGetAsEntry()) // now: a drop is empty after the first await
  const plain = [...files] // what a browser gives that has no entries
  const found = await Promise.all(entries.filter((entry) => entry !== null).map(filesIn))
  return inOrder(entries.every((entry) => entry === null) ? plain : found.flat())
}

/** Files in the order of their names. */
export const inOrder = (files: readonly File[]): readonly File[] =>
  [...files].toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
