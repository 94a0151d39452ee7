/** Measures of reconstructions. Constants are PyTorch 1.13's in f64. */
import { describe, expect, it } from 'vitest'
import {
  dataOfSeas,
  decibels,
  fitLinearProjection,
  linearProjectionQuality,
  meanSquaredError,
  projectLinearly,
  psnr,
  reconstructionQuality,
  seas,
  ssim,
} from '../../../src/data/index.ts'
import { symmetricEigen } from '../../../src/data/quality/symmetricEigen.ts'

const upTo = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i)
const size = { height: 16, width: 14, channels: 3 }
const count = 16 * 14 * 3
const one = Uint8Array.from(upTo(count), (i) => Math.floor(128 + 100 * Math.sin(0.11 * i)))
const other = Uint8Array.from(upTo(count), (i) =>
  Math.floor(120 + 90 * Math.sin(0.11 * i + 0.3) + 8 * Math.cos(1.7 * i)),
)

describe('the peak signal-to-noise ratio', () => {
  it('is that of PyTorch, and does not depend on the units', () => {
    expect(meanSquaredError(one, other)).toBeCloseTo(550.7127976190476, 10)
    expect(psnr(one, other)).toBeCloseTo(20.72155192011914, 12)
    const centred = (x: Uint8Array): Float64Array => Float64Array.from(x, (byte) => byte / 127.5 - 1)
    expect(psnr(centred(one), centred(other), 2)).toBeCloseTo(20.72155192011914, 10)
  })

  it('is infinite for equal pictures, and refuses pictures of two sizes and none', () => {
    expect(psnr(one, one)).toBe(Infinity)
    expect(decibels(0)).toBe(Infinity)
    expect(() => psnr(one, other.subarray(1))).toThrow('672 numbers against 671')
    expect(() => psnr([], [])).toThrow('0 numbers against 0')
  })
})

describe('structural similarity', () => {
  it('is that of PyTorch, the mean of the channels', () => {
    expect(ssim(one, other, size)).toBeCloseTo(0.9452442393824643, 12)
    const unit = (x: Uint8Array): Float64Array => Float64Array.from(x, (byte) => byte / 255)
    expect(ssim(unit(one), unit(other), size, 1)).toBeCloseTo(0.9452442393824643, 10)
    const red = (x: Uint8Array): Uint8Array => x.filter((_, i) => i % 3 === 0)
    expect(ssim(red(one), red(other), { ...size, channels: 1 })).toBeCloseTo(0.9431988502227792, 12)
  })

  it('is 1 for equal pictures, symmetric, and below 0 for a negative', () => {
    expect(ssim(one, one, size)).toBeCloseTo(1, 12)
    expect(ssim(one, other, size)).toBeCloseTo(ssim(other, one, size), 14)
    expect(
      ssim(
        one,
        one.map((byte) => 255 - byte),
        size,
      ),
    ).toBeLessThan(0)
  })

  it('refuses what is no picture of the size, and what is smaller than its window', () => {
    expect(() => ssim(one, other, { ...size, height: 15 })).toThrow('672 numbers are no picture of 15×14')
    expect(() => ssim(one, other.subarray(3), size)).toThrow('672 numbers against 669')
    expect(() => ssim(one.subarray(0, 300), other.subarray(0, 300), { height: 10, width: 10, channels: 3 })).toThrow(
      'smaller than the window of 11×11',
    )
  })
})

describe('the quality of reconstructions', () => {
  it('has the ratio of the mean error below the mean of the ratios', () => {
    const [near, far] = [one.map((byte) => byte + 1), one.map((byte) => byte - 16)]
    const found = reconstructionQuality(
      [
        [one, near],
        [one, far],
      ],
      size,
    )
    expect(found.count).toBe(2)
    expect(found.psnr).toBeCloseTo(decibels((1 + 256) / 2), 10)
    expect(found.meanPsnr).toBeCloseTo((decibels(1) + decibels(256)) / 2, 10)
    expect(found.ssim).toBeCloseTo((ssim(one, near, size) + ssim(one, far, size)) / 2, 12)
  })

  it('has no similarity where pictures are smaller than its window, and refuses none at all', () => {
    const small = { height: 10, width: 10, channels: 1 }
    expect(reconstructionQuality([[one.subarray(0, 100), other.subarray(0, 100)]], small)).not.toHaveProperty('ssim')
    expect(() => reconstructionQuality([], size)).toThrow('there are no pictures to compare')
  })
})

/** A symmetric matrix of n rows. */
const symmetric = (n: number): readonly (readonly number[])[] =>
  upTo(n).map((i) => upTo(n).map((j) => Math.sin(1.3 * Math.min(i, j) + 2.1 * Math.max(i, j)) + (i === j ? i / 2 : 0)))

describe('eigenvectors of a symmetric matrix', () => {
  it('A·v = λ·v, each of length 1, at right angles, from the largest λ to the smallest', () => {
    for (const n of [1, 2, 7, 48]) {
      const matrix = symmetric(n)
      const { values, vectors } = symmetricEigen(matrix)
      expect(values.toSorted((a, b) => b - a)).toEqual(values)
      const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
        upTo(n).reduce((sum, i) => sum + (a[i] ?? NaN) * (b[i] ?? NaN), 0)
      for (const [k, v] of vectors.entries()) {
        for (const [i, row] of matrix.entries()) expect(dot(row, v)).toBeCloseTo((values[k] ?? NaN) * (v[i] ?? NaN), 11)
        for (const [l, w] of vectors.entries()) expect(dot(v, w)).toBeCloseTo(k === l ? 1 : 0, 12)
      }
    }
  })

  it('are those of a diagonal, of equal eigenvalues, and of a matrix of zeros', () => {
    expect(
      symmetricEigen([
        [1, 0],
        [0, 3],
      ]).values,
    ).toEqual([3, 1])
    expect(
      symmetricEigen([
        [2, 0],
        [0, 2],
      ]).values,
    ).toEqual([2, 2])
    expect(
      symmetricEigen([
        [0, 0],
        [0, 0],
      ]).values,
    ).toEqual([0, 0])
    expect(
      symmetricEigen([
        [0, 1],
        [1, 0],
      ]).values.map(Math.round),
    ).toEqual([1, -1])
    expect(() => symmetricEigen([[NaN]])).toThrow('not finite')
  })
})

describe('the best linear code', () => {
  const seasOf = (n: number) => {
    const data = seas({ seed: 3, size: 16 })
    return { pictures: upTo(n).map((i) => data.image(i)), size: { height: 16, width: 16, channels: 3 } }
  }

  it('makes pictures again that lie in so many dimensions, patch by patch', () => {
    const basis = upTo(3).map((k) => upTo(12).map((i) => Math.sin((k + 1) * i + k)))
    const patch = (p: number): readonly number[] =>
      upTo(12).map((i) => 100 + basis.reduce((sum, b, k) => sum + 30 * Math.cos(p * (k + 2)) * (b[i] ?? NaN), 0))
    const picture = (start: number): Float64Array =>
      Float64Array.from(upTo(4 * 6 * 3), (place) => {
        const [y, x, c] = [Math.floor(place / 18), Math.floor(place / 3) % 6, place % 3]
        const inPatch = (y % 2) * 6 + (x % 2) * 3 + c
        return patch(start + Math.floor(y / 2) * 3 + Math.floor(x / 2))[inPatch] ?? NaN
      })
    const shape = { height: 4, width: 6, channels: 3 }
    const fitted = fitLinearProjection([picture(0), picture(6)], shape, { factor: 2, latentChannels: 3 })
    expect(psnr(projectLinearly(fitted, picture(40)), picture(40))).toBeGreaterThan(200)
    const less = fitLinearProjection([picture(0), picture(6)], shape, { factor: 2, latentChannels: 2 })
    expect(psnr(projectLinearly(less, picture(40)), picture(40))).toBeLessThan(60)
  })

  it('is better than means of patches, of the same size, on what it was fitted to', () => {
    const { pictures, size } = seasOf(12)
    const fitted = fitLinearProjection(pictures, size, { factor: 2, latentChannels: 3 })
    const means = (picture: Uint8Array): Float64Array =>
      Float64Array.from(picture, (_, place) => {
        const [y, x, c] = [Math.floor(place / 48), Math.floor(place / 3) % 16, place % 3]
        const at = (dy: number, dx: number): number =>
          picture[((y - (y % 2) + dy) * 16 + x - (x % 2) + dx) * 3 + c] ?? NaN
        return (at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4
      })
    const quality = (f: (picture: Uint8Array) => Float64Array): number =>
      reconstructionQuality(
        pictures.map((p) => [p, f(p)] as const),
        size,
      ).psnr
    const [projected, meaned] = [quality((p) => projectLinearly(fitted, p)), quality(means)]
    expect(projected).toBeGreaterThan(meaned + 0.5)
  })

  it('gains with each number that it keeps, until the picture is whole', () => {
    const { pictures, size } = seasOf(6)
    const ratios = [1, 2, 4, 8, 12].map((latentChannels) => {
      const fitted = fitLinearProjection(pictures, size, { factor: 2, latentChannels })
      return reconstructionQuality(
        pictures.map((p) => [p, projectLinearly(fitted, p)] as const),
        size,
      ).psnr
    })
    expect(ratios.toSorted((a, b) => a - b)).toEqual(ratios)
    expect(ratios.at(-1)).toBeGreaterThan(150)
  })

  it('of data is fitted to what training draws, and measured on what is held out', () => {
    const flat = (value: number): Uint8Array => new Uint8Array(4 * 4).fill(value)
    const drawn: number[] = []
    const data = {
      name: 'steps',
      height: 4,
      width: 4,
      channels: 1,
      count: 3,
      picture: (i: number) => {
        drawn.push(i)
        return flat(10 * i)
      },
      heldOutCount: 2,
      heldOut: (i: number) => (i === 0 ? flat(90) : Uint8Array.from(upTo(16), (p) => (p % 2 === 0 ? 100 : 110))),
    }
    const found = linearProjectionQuality(data, { factor: 4, latentChannels: 1 })
    expect(drawn).toEqual([0, 1, 2])
    expect(found.count).toBe(2)
    expect(found.psnr).toBeCloseTo(decibels(25 / 2), 6) // stripes of ±5 are in none of the pictures that it was fitted to
  })

  it('cuts what it makes to 0 … 255, and is fitted to 512 pictures at most', () => {
    const data = dataOfSeas({ seed: 1, size: 8 })
    let drawn = 0
    const counted = { ...data, picture: (i: number) => (drawn++, data.picture(i)) }
    linearProjectionQuality(counted, { factor: 4, latentChannels: 4 })
    expect(drawn).toBe(512)
    const bright = {
      ...data,
      count: 2,
      picture: (i: number) => new Uint8Array(192).fill(200 + 50 * i),
      heldOutCount: 1,
    }
    const white = { ...bright, heldOut: () => Uint8Array.from(upTo(192), (i) => (i % 3 === 0 ? 255 : 254)) }
    expect(linearProjectionQuality(white, { factor: 8, latentChannels: 1 }).psnr).toBeGreaterThan(50)
  })

  it('refuses codes that do not fit', () => {
    const { pictures, size } = seasOf(1)
    const fit = (factor: number, latentChannels: number) => () =>
      fitLinearProjection(pictures, size, { factor, latentChannels })
    expect(fit(3, 4)).toThrow('patches of 3×3 do not tile pictures of 16×16')
    expect(fit(2, 13)).toThrow('a patch has 12 numbers, of which 1 … 12 can be kept, not 13')
    expect(fit(2, 0)).toThrow('not 0')
    expect(() => fitLinearProjection([], size, { factor: 2, latentChannels: 1 })).toThrow('there are no pictures')
    const fitted = fitLinearProjection(pictures, size, { factor: 2, latentChannels: 1 })
    expect(() => projectLinearly(fitted, new Uint8Array(5))).toThrow(
      '5 numbers are no picture of 16×16 with 3 channels',
    )
  })
})
