/** MobileNetV2 as a feature space: the layers of Keras from the bytes of a package, and clear errors for other bytes. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mobilenetLayers } from '../../src/evaluation/features/mobilenet/network.ts'
import { mobilenetSpace } from '../../src/evaluation/features/mobilenet/space.ts'
import { mobilenetParams } from '../../src/evaluation/features/mobilenet/weights.ts'
import { row } from '../../src/evaluation/rows.ts'
import { openDevice, tensor, type Device, type Tensor } from '../../src/index.ts'
import { byteCount, drawnBytes, drawnPackage, drawnPicture, manifest } from './mobilenetPackage.ts'
import { seaPictures } from './pictures.ts'

const golden = JSON.parse(readFileSync(new URL('../golden/evaluation/mobilenet.json', import.meta.url), 'utf8')) as {
  readonly means: Readonly<Record<string, readonly number[]>>
}

let device: Device
beforeAll(async () => {
  device = await openDevice('wasm')
})
afterAll(() => device.close())

it('its layers are those of Keras, which TensorFlow.js computed', async () => {
  const params = await mobilenetParams(drawnPackage())
  const blocks = [2, 5, 9, 12, 16]
  const run = device.compile((tree: typeof params, x: Tensor) => {
    const layers = mobilenetLayers(tree, x)
    return blocks.map((k) => layers[k]?.mean([0, 1, 2]) ?? x)
  })
  const outputs = await run(params, tensor(drawnPicture(), { shape: [1, 224, 224, 3] }))
  for (const [i, expected] of Object.values(golden.means).entries()) {
    const output = outputs[i]
    if (output === undefined) throw new Error('a layer is missing')
    const values = await device.read(output)
    expect(values.length).toBe(expected.length)
    for (let k = 0; k < expected.length; k++)
      expect(Math.abs((values[k] ?? NaN) - (expected[k] ?? NaN))).toBeLessThan(2e-4)
  }
})

describe('the space', () => {
  it('has 592 numbers of pictures of any size, the same alone and among others', async () => {
    const space = await mobilenetSpace(drawnPackage())
    const set = seaPictures(0, 3)
    const all = await space.features(device, set)
    const one = await space.features(device, { ...set, pictures: set.pictures.slice(2) })
    expect([all.count, all.width]).toEqual([3, 592])
    const [here, there] = [row(one, 0), row(all, 2)]
    for (let k = 0; k < here.length; k++) expect(here[k]).toBeCloseTo(there[k] ?? NaN, 3)
    const odd = { height: 13, width: 300, channels: 3, pictures: [new Uint8Array(13 * 300 * 3).fill(100)] }
    expect((await space.features(device, odd)).values.every(Number.isFinite)).toBe(true)
  })

  it('sees an even grey as the same at every size: enlarging and shrinking make nothing of their own', async () => {
    const space = await mobilenetSpace(drawnPackage())
    const grey = (side: number) =>
      space.features(device, {
        height: side,
        width: side,
        channels: 3,
        pictures: [new Uint8Array(side * side * 3).fill(90)],
      })
    const [small, large] = [await grey(16), await grey(200)]
    for (let k = 0; k < small.values.length; k++) expect(small.values[k]).toBeCloseTo(large.values[k] ?? NaN, 3)
  })
})

describe('another package', () => {
  const [first, ...rest] = manifest
  const cases: readonly (readonly [string, () => ReturnType<typeof drawnPackage>, string])[] = [
    [
      'without its manifest',
      () => ({ ...drawnPackage(), modelJson: async () => ({}) }),
      'its description has no weightsManifest',
    ],
    ['without an array', () => drawnPackage(rest), "it has no 'Conv1/kernel'"],
    [
      'of another width',
      () => drawnPackage([{ ...first, shape: [3, 3, 3, 16] }, ...rest]),
      "'Conv1/kernel' is [3, 3, 3, 16] and not [3, 3, 3, 32]",
    ],
    ['cut short', () => drawnPackage(manifest, drawnBytes(byteCount - 1)), 'lies beyond the end'],
    [
      'of halves',
      () => drawnPackage([{ ...first, quantization: { dtype: 'float16' } }, ...rest]),
      "'Conv1/kernel' is not quantised to bytes",
    ],
    [
      'of whole numbers',
      () => drawnPackage([{ ...first, dtype: 'int32' }, ...rest]),
      'its manifest lists what is no array of floats',
    ],
    ['whose bundle is no text', () => ({ ...drawnPackage(), weightBundles: [async () => 7] }), 'a bundle is no text'],
  ]
  it.each(cases)('%s is refused in words', async (_, made, words) => {
    await expect(mobilenetParams(made())).rejects.toThrow(words)
  })

  it('floats that are not quantised are read as they are', async () => {
    const shape = [3, 3, 3, 32]
    const bytes = new Uint8Array(byteCount + 3 * 864)
    const floats = Float32Array.from({ length: 864 }, (_, i) => Math.sin(i))
    bytes.set(new Uint8Array(floats.buffer))
    bytes.set(drawnBytes(byteCount - 864), 4 * 864)
    const { stem } = await mobilenetParams(
      drawnPackage([{ name: 'Conv1/kernel', shape, dtype: 'float32' }, ...rest], bytes),
    )
    const drawn = await mobilenetParams(
      drawnPackage(manifest, new Uint8Array([...new Uint8Array(864), ...drawnBytes(byteCount - 864)])),
    )
    const [values, others] = [await device.read(stem.weight), await device.read(drawn.stem.weight)]
    const least = manifest[0]?.quantization?.min ?? NaN
    for (let i = 0; i < 864; i++) expect(values[i]).toBeCloseTo((Math.sin(i) * (others[i] ?? NaN)) / least, 4)
  })
})
