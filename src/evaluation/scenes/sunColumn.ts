/**
 * Where the light stands across the picture, from the pixels alone: sun, moon or their glow are the lightest of the sky,
 * and what outshines the rest pulls as hard as the square of its excess.
 */
import { range } from '../../prelude/array.ts'
import { median } from '../statistics.ts'
import { lumaRows, type Picture } from './picture.ts'

/**
 * The column of the light.
 *
 * @param skyRows how many rows from the top are sky
 * @returns 0 is the left edge, 1 the right; the middle where no column is lighter than the others
 */
export const sunColumn = (picture: Picture, skyRows: number): number => {
  const sky = lumaRows(picture).slice(0, skyRows)
  const lightest = range(picture.width).map((x) => Math.max(...sky.map((row) => row[x] ?? 0)))
  const usual = median(lightest)
  const pull = lightest.map((y) => Math.max(0, y - usual) ** 2)
  const total = pull.reduce((a, b) => a + b, 0)
  return total > 0 ? pull.reduce((sum, w, x) => sum + w * (x + 0.5), 0) / total / picture.width : 0.5
}
