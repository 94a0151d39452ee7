/** `--features`: names of spaces that are shipped, and of one that a package brings. */
import { expect, it } from 'vitest'
import { spacesOf, type ImportModule } from '../../src/cli/featureSpaces.ts'
import { drawnPackage } from '../evaluation/mobilenetPackage.ts'

const namesOf = async (flag: string | undefined, load?: ImportModule): Promise<unknown> => {
  const spaces = await spacesOf(flag, load)()
  return spaces._tag === 'Right' ? spaces.right.map(({ name }) => name) : spaces.left
}

it('without a flag those that are shipped, with it those that it names, each once', async () => {
  expect(await namesOf(undefined)).toEqual(['trained', 'random'])
  expect(await namesOf('random, trained,random')).toEqual(['random', 'trained'])
})

it('another name is wrong usage, and the nearest is told', async () => {
  expect(await namesOf('trained,mobilnet')).toEqual({
    code: 2,
    message:
      "--features must be some of trained, random, mobilenet, parted by commas, got 'mobilnet'; did you mean mobilenet?",
  })
  expect(await namesOf('toString')).toMatchObject({ code: 2 })
  expect(await namesOf('')).toMatchObject({ code: 2 })
})

it('the space of the package where it is installed', async () => {
  const asked: string[] = []
  const load: ImportModule = async (module) => {
    asked.push(module)
    return { MobileNetV2Model: drawnPackage() }
  }
  expect(await namesOf('trained,mobilenet', load)).toEqual(['trained', 'mobilenet'])
  expect(asked).toEqual(['nsfwjs/models/mobilenet_v2'])
})

it('how to install it where it is not, or is another', async () => {
  const advice = 'npm install --legacy-peer-deps nsfwjs@4.3.0'
  const missing = await namesOf('mobilenet', async () => Promise.reject(new Error('Cannot find module')))
  expect(missing).toEqual({
    code: 1,
    message: `--features mobilenet takes its weights from the package nsfwjs, which is not here: ${advice}`,
  })
  expect(await namesOf('mobilenet', async () => ({ MobileNetV2Model: { modelJson: 3 } }))).toMatchObject({
    message: expect.stringContaining('has none of that form'),
  })
  const other = await namesOf('mobilenet', async () => ({
    MobileNetV2Model: { ...drawnPackage(), modelJson: async () => ({}) },
  }))
  expect(other).toMatchObject({ code: 1, message: expect.stringContaining('has no weightsManifest') })
})
