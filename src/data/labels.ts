/** Labels of pictures, from the folders in which they lie: what is in `boats/` shows boats. */

/** What is known of the pictures of a set. */
export interface Labels {
  /** What each number says. */
  readonly names: readonly string[]
  /** The numbers of picture `index`: as many as names; 1 where a label holds, all 0 where nothing is known. */
  readonly of: (index: number) => Float32Array
}

/** {@link Labels} of a folder, of which a picture has one or none. */
export interface FolderLabels extends Labels {
  /** The label of each picture, a place in `names`; −1 for a picture that lies beside the labelled folders. */
  readonly indices: readonly number[]
}

/** The first folder of a path with `/` between names; none for a file at the top. */
const firstFolder = (path: string): string | undefined => {
  const end = path.indexOf('/')
  return end < 0 ? undefined : path.slice(0, end)
}

/**
 * The labels of pictures from their paths: the name of the first folder below the opened one. A picture at the top has none, and its numbers
 * are zeros; so has every picture of a folder without folders.
 *
 * @param paths relative to the opened folder, with `/` between names: `names` of a `FolderImageSet`
 * @example
 * ```ts
 * import { folderLabels } from 'fathom/data'
 *
 * const { names, indices, of } = folderLabels(['bridges/old/2.jpg', 'boats/1.jpg', 'sea.jpg'])
 * names // => ['boats', 'bridges']
 * indices // => [1, 0, -1]
 * of(0) // => [0, 1]
 * of(2) // => [0, 0]
 * ```
 */
export const folderLabels = (paths: readonly string[]): FolderLabels => {
  const folders = paths.map(firstFolder)
  const names = [...new Set(folders.filter((folder) => folder !== undefined))].toSorted()
  const places = new Map(names.map((name, place) => [name, place]))
  const indices = folders.map((folder) => (folder === undefined ? -1 : (places.get(folder) ?? -1)))
  const of = (index: number): Float32Array => Float32Array.from(names, (_, place) => (indices[index] === place ? 1 : 0))
  return { names, indices, of }
}
