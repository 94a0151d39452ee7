/** Scenes: determinism, ranges, and agreement of the samples with the distributions that are declared. */
import { describe, expect, it } from 'vitest'
import {
  bridgeStyles,
  buoyMarks,
  casts,
  cloudCovers,
  coastProbability,
  dayPartHours,
  dayParts,
  foams,
  hullPaints,
  ranges,
  rigs,
  sailCloths,
  waveAmplitudes,
  weathers,
  type Interval,
  type SeaFactors,
  type SeaObject,
} from '../../../src/data/seas/factors.ts'
import { celestial, seaScene } from '../../../src/data/seas/scene.ts'
import { hostFold, hostKey } from '../../../src/prelude/threefry.ts'

const scenes: readonly SeaFactors[] = Array.from({ length: 4000 }, (_, i) => seaScene(hostFold(hostKey(17), i)))
const objects: readonly SeaObject[] = scenes.flatMap((scene) => scene.objects)

/** The 99.99 % point of χ² with `df` degrees of freedom (Wilson and Hilferty 1931). */
const criticalChi2 = (df: number): number => df * (1 - 2 / (9 * df) + 3.719 * Math.sqrt(2 / (9 * df))) ** 3

const chi2 = (names: readonly string[], weights: Readonly<Record<string, number>>): number =>
  Object.entries(weights).reduce((sum, [name, weight]) => {
    const expected = weight * names.length
    return sum + (names.filter((other) => other === name).length - expected) ** 2 / expected
  }, 0)

const within = (x: number, [from, to]: Interval): boolean => x >= from && x <= to

/** Ten equal cells of a range, as a table of weights and as the cell of a value. */
const cells = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`${i}`, 0.1]))
const cellOf = (x: number, [from, to]: Interval): string => `${Math.floor(((x - from) / (to - from)) * 10)}`

describe('seaScene', () => {
  it('is a function of its key', () => {
    expect(seaScene(hostKey(3))).toEqual(seaScene(hostKey(3)))
    expect(seaScene(hostKey(3))).not.toEqual(seaScene(hostKey(4)))
  })

  it.each([
    ['dayPart', scenes.map((s) => s.dayPart), dayParts],
    ['weather', scenes.map((s) => s.weather), weathers],
    ['cast', scenes.map((s) => s.cast), casts],
    ['hull', objects.flatMap((o) => (o.kind === 'boat' ? [o.hull] : [])), hullPaints],
    ['sail', objects.flatMap((o) => (o.kind === 'boat' ? [o.sail] : [])), sailCloths],
    ['rig', objects.flatMap((o) => (o.kind === 'boat' ? [o.rig] : [])), rigs],
    ['bridge style', objects.flatMap((o) => (o.kind === 'bridge' ? [o.style] : [])), bridgeStyles],
    ['buoy mark', objects.flatMap((o) => (o.kind === 'buoy' ? [o.mark] : [])), buoyMarks],
    ['coast', scenes.map((s) => `${s.coast > 0}`), { true: coastProbability, false: 1 - coastProbability }],
  ] as const)('draws %s with the declared weights (χ² below its 99.99 %% point)', (_name, drawn, weights) => {
    expect(Object.values<number>(weights).reduce((a, b) => a + b)).toBeCloseTo(1, 12)
    expect(drawn.every((name) => name in weights)).toBe(true)
    expect(chi2(drawn, weights)).toBeLessThan(criticalChi2(Object.keys(weights).length - 1))
  })

  it.each([
    ['hue', scenes.map((s) => s.hue), ranges.hue],
    ['horizon', scenes.map((s) => s.horizon), ranges.horizon],
    ['sun.x', scenes.map((s) => s.sun.x), ranges.sunX],
    ['waves.frequency', scenes.map((s) => s.waves.frequency), ranges.waveFrequency],
    ['waves.direction', scenes.map((s) => s.waves.direction), ranges.waveDirection],
    ['coast', scenes.flatMap((s) => (s.coast > 0 ? [s.coast] : [])), ranges.coastHeight],
    ['texture', scenes.map((s) => s.texture), [0, 2 ** 32]],
  ] as const)('draws %s uniformly from its range', (_name, drawn, range) => {
    expect(drawn.every((x) => within(x, range))).toBe(true)
    expect(
      chi2(
        drawn.map((x) => cellOf(x, range)),
        cells,
      ),
    ).toBeLessThan(criticalChi2(9))
  })

  it('draws hour, clouds, waves and foam from the ranges of the day part and the weather', () => {
    for (const scene of scenes) {
      const [from, to] = dayPartHours[scene.dayPart]
      expect(scene.hour >= 0 && scene.hour < 24).toBe(true)
      expect(within(scene.hour, [from, to]) || within(scene.hour + 24, [from, to])).toBe(true)
      expect(within(scene.clouds, cloudCovers[scene.weather])).toBe(true)
      expect(within(scene.waves.amplitude, waveAmplitudes[scene.weather])).toBe(true)
      expect(within(scene.foam, foams[scene.weather])).toBe(true)
      expect(Number.isInteger(scene.texture)).toBe(true)
    }
  })

  it('places objects inside the picture, far to near, in the numbers of the cast', () => {
    for (const { cast, objects: placed } of scenes) {
      expect(placed.map((o) => o.depth)).toEqual(placed.map((o) => o.depth).toSorted((a, b) => a - b))
      for (const o of placed) {
        expect(within(o.x, [0, 1]) && within(o.depth, [0, 1]) && within(o.size, [0.03, 1])).toBe(true)
      }
      expect(placed.length === 0).toBe(cast === 'empty')
    }
    expect(new Set(objects.map((o) => o.kind))).toEqual(new Set(['boat', 'bridge', 'stone', 'buoy']))
  })

  it('draws factors independently: the hue tells nothing of the horizon', () => {
    const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length
    const [a, b] = [scenes.map((s) => s.hue), scenes.map((s) => s.horizon)]
    const [ma, mb] = [mean(a), mean(b)]
    const covariance = mean(a.map((x, i) => (x - ma) * ((b[i] ?? 0) - mb)))
    const deviation = (xs: readonly number[], m: number): number => Math.sqrt(mean(xs.map((x) => (x - m) ** 2)))
    expect(Math.abs(covariance / (deviation(a, ma) * deviation(b, mb)))).toBeLessThan(4 / Math.sqrt(scenes.length))
  })
})

describe('celestial', () => {
  it('has the sun rise at 5 and set at 19, and the moon highest at midnight', () => {
    expect(celestial(5)).toEqual({ body: 'sun', altitude: 0 })
    expect(celestial(12)).toEqual({ body: 'sun', altitude: 1 })
    expect(celestial(19).altitude).toBeCloseTo(0, 12)
    expect(celestial(19.5).altitude).toBeLessThan(0)
    expect(celestial(0)).toEqual({ body: 'moon', altitude: 1 })
  })
})
