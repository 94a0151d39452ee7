/** Sets of known quality are what they are said to be. */
import { describe, expect, it } from 'vitest'
import { blurredPictures, copiedPictures, gaussianPictures } from '../../src/evaluation/anchors.ts'
import { asRgb } from '../../src/evaluation/pictures.ts'
import { deviation, mean } from '../../src/evaluation/statistics.ts'
import { at, range } from '../../src/prelude/array.ts'
import { hostKey } from '../../src/prelude/threefry.ts'
import { greys, seaPictures } from './pictures.ts'

describe('a Gaussian of pictures', () => {
  const real = {
    height: 1,
    width: 2,
    channels: 3,
    pictures: range(64).map((i) => Uint8Array.of(100 + (i % 8), 120, 90 + (i % 8), 100, 150 - (i % 8), 9)),
  }
  const drawn = gaussianPictures(real, 2000, hostKey(1))
  const channel = (p: number): readonly number[] => drawn.pictures.map((pixels) => pixels[p] ?? NaN)

  it('has the mean and the deviation of each pixel', () => {
    expect(mean(channel(0))).toBeCloseTo(103.5, 0)
    expect(deviation(channel(0))).toBeGreaterThan(2.15)
    expect(deviation(channel(0))).toBeLessThan(2.45) // √5.25 = 2.29
    expect(deviation(channel(1))).toBe(0)
  })

  it('has their covariance: what moves together does', () => {
    const product = mean(channel(0).map((x, i) => (x - 103.5) * (at(channel(4), i) - 146.5)))
    expect(product).toBeGreaterThan(-5.8)
    expect(product).toBeLessThan(-4.8) // −5.25
  })
})

describe('blur', () => {
  it('leaves one colour as it is, to its edges', () => {
    const flat = greys([77])
    expect(blurredPictures(flat, 1.3).pictures).toEqual(flat.pictures)
  })

  it('spreads a point as a Gaussian does', () => {
    const point = new Uint8Array(17 * 17 * 3).fill(0)
    point.fill(255, (8 * 17 + 8) * 3, (8 * 17 + 8) * 3 + 3)
    const [soft] = blurredPictures({ height: 17, width: 17, channels: 3, pictures: [point] }, 1).pictures
    const value = (y: number, x: number): number => soft?.[(y * 17 + x) * 3] ?? NaN
    expect(value(8, 8)).toBe(Math.round(255 / (2 * Math.PI)))
    expect(value(8, 9) / value(8, 8)).toBeCloseTo(Math.exp(-0.5), 1)
    expect(value(9, 8)).toBe(value(8, 9))
  })
})

it('copies are pictures of the set, some of them twice', () => {
  const real = seaPictures(0, 20, 8)
  const copied = copiedPictures(real, 40, hostKey(1))
  expect(copied.pictures.every((pixels) => real.pictures.includes(pixels))).toBe(true)
  expect(new Set(copied.pictures).size).toBeLessThan(20)
})

it('a picture with opacity is judged on white', () => {
  const set = { height: 1, width: 2, channels: 4, pictures: [Uint8Array.of(10, 20, 30, 255, 0, 0, 0, 51)] }
  expect(asRgb(set).pictures[0]).toEqual(Uint8Array.of(10, 20, 30, 204, 204, 204))
})
