/** Real seas pass as generated ones, and pictures that are wrong in one way are told apart by the factors of that way. */
import { beforeAll, describe, expect, it } from 'vitest'
import { estimate, factorNames, type Estimate, type FactorName } from '../../../src/evaluation/scenes/factors.ts'
import { histogram, histogramChart } from '../../../bench/scenes/histogramChart.ts'
import { realEstimates, sceneReport, sceneTable, type FactorReport } from '../../../bench/scenes/sceneReport.ts'
import { seas } from '../../../src/data/seas/index.ts'
import { range } from '../../../src/prelude/array.ts'
import { hostFold, hostKey, hostUniform } from '../../../src/prelude/threefry.ts'

const size = { height: 32, width: 32 }
const options = { seed: 0, pool: 384, pairs: 60 }
const count = 96

const bytes = (of: (i: number) => number): Uint8Array =>
  Uint8Array.from({ length: 3 * 32 * 32 }, (_, i) => Math.max(0, Math.min(255, Math.round(of(i)))))

let real: readonly Estimate[] = []
let fresh: readonly Uint8Array[] = []

beforeAll(() => {
  real = realEstimates(size, options)
  const data = seas({ seed: 5, size: 32 })
  fresh = range(count).map(data.image)
})

/** The report of the fresh seas, each changed. */
const reportOf = (change: (pixels: Uint8Array, n: number) => Uint8Array): readonly FactorReport[] =>
  sceneReport(
    fresh.map((pixels, n) => estimate({ ...size, pixels: change(pixels, n) })),
    real,
    options,
  )

const apart = (reports: readonly FactorReport[]): readonly FactorName[] =>
  reports.filter(({ within }) => !within).map(({ factor }) => factor)

describe('sceneReport', () => {
  it('finds fresh real seas within the noise in every factor', () => {
    const reports = reportOf((pixels) => pixels)
    expect(reports.map(({ factor }) => factor)).toEqual(factorNames)
    expect(apart(reports)).toEqual([])
  })

  it('finds a warm tint in the colour of the sky, and not in the place of the light', () => {
    const found = apart(reportOf((pixels) => bytes((i) => (pixels[i] ?? 0) * (i % 3 === 2 ? 0.75 : 1))))
    expect(found).toContain('skyWarmth')
    expect(found).not.toContain('sun')
  })

  it('finds seas that sank by three rows in the horizon, and not in hue and place of the light', () => {
    const found = apart(reportOf((pixels) => bytes((i) => pixels[i < 3 * 96 ? i % 96 : i - 3 * 96] ?? 0)))
    expect(found).toContain('horizon')
    for (const factor of ['skyRed', 'skyWarmth', 'sun']) expect(found).not.toContain(factor)
  })

  it('finds a night that never ends in the light', () => {
    const found = apart(reportOf((pixels) => bytes((i) => 0.5 * (pixels[i] ?? 0))))
    expect(found).toEqual(expect.arrayContaining(['lightness', 'skyLightness', 'contrast']))
    expect(found).not.toContain('sun')
  })

  it('finds one sea drawn again and again in every factor', () => {
    expect(apart(reportOf(() => fresh[0] ?? new Uint8Array()))).toEqual(factorNames)
  })

  it('finds noise in every factor', () => {
    const noise = (n: number): Uint8Array => bytes((i) => 256 * hostUniform(hostFold(hostKey(1), n), i))
    expect(apart(reportOf((_, n) => noise(n)))).toEqual(factorNames)
  })
})

describe('sceneTable', () => {
  it('has a row for each factor, with distance, noise, ratio and verdict', () => {
    const lines = sceneTable(reportOf((pixels) => bytes((i) => 0.5 * (pixels[i] ?? 0)))).split('\n')
    expect(lines.length).toBe(1 + factorNames.length)
    expect(lines[0]).toMatch(/generated +real +distance +noise +95 % +ratio/)
    expect(lines.find((line) => line.startsWith('light: mean (L*)'))).toMatch(
      /\d ± \d+\.\d +\d+\.\d ± \d+\.\d +\d+\.\d\d +\d+\.\d\d +\d+\.\d\d +\d+\.\d +apart$/,
    )
  })
})

describe('histogramChart', () => {
  it('has a frame with two histograms for each factor', () => {
    const svg = histogramChart(reportOf((pixels) => pixels))
    expect(svg.match(/<path d="M/g)?.length).toBe(2 * factorNames.length)
    expect(svg).not.toMatch(/NaN|undefined|Infinity/)
    expect(svg).toContain('light: its place')
  })

  it('counts shares in equal bins, with both ends inside', () => {
    expect(histogram([0, 0, 1, 4], 0, 4, 4)).toEqual([0.5, 0.25, 0, 0.25])
    expect(histogram([2, 2], 0, 4, 2)).toEqual([0, 1])
  })
})
