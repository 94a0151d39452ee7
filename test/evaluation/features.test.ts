/** Feature spaces: the same picture is the same point, and every direction counts after whitening. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blurredPictures } from '../../src/evaluation/anchors.ts'
import { featureSpaces, isFeatureSpaceName } from '../../src/evaluation/features/registry.ts'
import { cholesky, whitening } from '../../src/evaluation/features/whitening.ts'
import { hostNormal } from '../../src/evaluation/normal.ts'
import { pick } from '../../src/evaluation/pictures.ts'
import { row, rowsOf, type Rows } from '../../src/evaluation/rows.ts'
import { at, range } from '../../src/prelude/array.ts'
import { hostFold, hostKey } from '../../src/prelude/threefry.ts'
import { openDevice, type Device } from '../../src/tensor/device.ts'
import { cpuDevice } from '../support/device.ts'
import { seaPictures } from './pictures.ts'

describe.each(Object.entries(featureSpaces))('the %s space', (_, space) => {
  let device: Device
  beforeAll(async () => {
    device = await openDevice('wasm')
  })
  afterAll(() => device.close())

  it('gives a picture the same point alone and among others, in a batch that is filled up', async () => {
    const set = seaPictures(0, 35)
    const all = await space.features(device, set)
    const one = await space.features(device, pick(set, [34]))
    expect(all.count).toBe(35)
    const [here, there] = [row(one, 0), row(all, 34)]
    for (let k = 0; k < here.length; k++) expect(here[k]).toBeCloseTo(at([...there], k), 4)
  })

  it('is the same on the device that is the specification', async () => {
    const set = seaPictures(7, 2)
    const [here, there] = [await space.features(device, set), await space.features(cpuDevice(), set)]
    for (let k = 0; k < here.values.length; k++) expect(here.values[k]).toBeCloseTo(there.values[k] ?? NaN, 4)
  })

  it('takes pictures of odd sides', async () => {
    const set = { height: 13, width: 18, channels: 3, pictures: [new Uint8Array(13 * 18 * 3).fill(100)] }
    const { values } = await space.features(device, set)
    expect(values.every(Number.isFinite)).toBe(true)
  })

  it('moves when a picture is blurred', async () => {
    const set = seaPictures(3, 1, 32)
    const [sharp, soft] = [await space.features(device, set), await space.features(device, blurredPictures(set, 1))]
    expect(Math.max(...sharp.values.map((x, k) => Math.abs(x - (soft.values[k] ?? 0))))).toBeGreaterThan(0.02)
  })
})

it('a name is one of the table, or none', () => {
  expect(['trained', 'random', 'inception'].map(isFeatureSpaceName)).toEqual([true, true, false])
})

describe('whitening', () => {
  it('Cholesky: L·Lᵀ is the matrix', () => {
    const lower = cholesky(Float64Array.of(4, 0, 0, 2, 5, 0, 6, 1, 30), 3)
    const entry = (a: number, b: number): number =>
      range(3).reduce((sum, k) => sum + (lower[3 * a + k] ?? 0) * (lower[3 * b + k] ?? 0), 0)
    expect([entry(0, 0), entry(1, 0), entry(1, 1), entry(2, 0), entry(2, 1), entry(2, 2)]).toEqual([
      4,
      2,
      5,
      6,
      1,
      expect.closeTo(30, 12),
    ])
  })

  it('two numbers that are nearly one become two directions: a difference between them counts', () => {
    const pairs = rowsOf(
      range(2000).map((i) => {
        const [a, b] = [hostNormal(hostKey(1), i), hostNormal(hostFold(hostKey(1), 1), i)]
        return [5 + 3 * a, -2 + 0.1 * (a + 0.1 * b)]
      }),
    )
    const { values } = whitening(pairs)(pairs).white
    const variance = (k: number): number =>
      range(2000).reduce((sum, i) => sum + (values[2 * i + k] ?? 0) ** 2 / 2000, 0)
    // Correlation ρ ≈ 0.995: C = [1 ρ; ρ 1], and the variance of the first is 1 / (1 + ½).
    expect(variance(0)).toBeCloseTo(1 / 1.5, 1)
    expect(variance(1)).toBeGreaterThan(0.05)
  })

  it('a point that is far beyond all others is drawn in, along its direction', () => {
    const points = rowsOf(range(50).map((i) => range(4).map((k) => hostNormal(hostFold(hostKey(3), i), k))))
    const map = whitening(points)
    const white = (x: Rows): Rows => map(x).white
    const [near, far] = [white(rowsOf([[9, 0, 0, 0]])), white(rowsOf([[9e6, 0, 0, 0]]))]
    const length = Math.hypot(...far.values)
    expect(length).toBeCloseTo(Math.hypot(...near.values), 6)
    expect(length).toBeLessThan(6)
  })

  it('a number that is the same for all pictures tells nothing, and is not made large', () => {
    const points = rowsOf(range(20).map((i) => [7, i]))
    expect(Math.max(...whitening(points)(points).white.values.map(Math.abs))).toBeLessThan(2)
  })
})
