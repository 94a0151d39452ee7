/** What the tests of autoencoders share: weights under foreign names, and plain arrays. */
import { readFile } from 'node:fs/promises'
import type { LucidrainsTensor } from '../../../src/models/index.ts'
import { tensor } from '../../../src/tensor/create.ts'
import { misfitsOf, placesOf, type NameMap } from '../../../src/tensor/nameMap.ts'
import { mapTree } from '../../../src/tensor/tree.ts'

/** Arrays under foreign names. */
export type Arrays = ReadonlyMap<string, LucidrainsTensor>

/** Their shapes. */
export const shapesOf = (arrays: Arrays): ReadonlyMap<string, readonly number[]> =>
  new Map([...arrays].map(([name, { shape }]) => [name, shape]))

/** Parameters from foreign arrays, all of which they must use. */
export const loaded = <T>(template: T, names: NameMap, arrays: Arrays): T => {
  const places = placesOf(template, names)
  const misfits = misfitsOf(places, shapesOf(arrays))
  if (misfits.length > 0) throw new Error(misfits.map(({ message }) => message).join('; '))
  const byPath = new Map(places.map((place) => [place.path, place]))
  return mapTree<T, T>(template, (ours, path) => {
    const place = byPath.get(path)
    const theirs = place && arrays.get(place.name)
    if (place === undefined || theirs === undefined) throw new Error(`nothing for ${path}`)
    return tensor(theirs.values, { shape: theirs.shape }).transpose(place.permutation).reshape(ours.shape)
  })
}

/** A configuration as diffusers writes it. */
export const goldenConfig = async (folder: string): Promise<unknown> =>
  JSON.parse(await readFile(new URL(`../../golden/${folder}/config.json`, import.meta.url), 'utf8'))
