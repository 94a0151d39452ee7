/** Draws a scene: from a key to the factors of a sea, each from the distribution that `factors.ts` declares. */
import { at } from '../../prelude/array.ts'
import { keysOf } from '../../prelude/record.ts'
import { hostFold, hostUniform, type HostKey } from '../../prelude/threefry.ts'
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
  type Boat,
  type Bridge,
  type Buoy,
  type Cast,
  type DayPart,
  type Interval,
  type Rig,
  type SeaFactors,
  type SeaObject,
  type Stone,
  type Weather,
  type Weights,
} from './factors.ts'

/** The stream of each factor, so that a new factor changes no other: the n of `hostFold(key, n)`. */
const stream = {
  dayPart: 0,
  hour: 1,
  weather: 2,
  sunX: 3,
  hue: 4,
  horizon: 5,
  clouds: 6,
  waves: 7,
  foam: 8,
  coast: 9,
  cast: 10,
  objects: 11,
  texture: 12,
} as const

const between = ([from, to]: Interval, u: number): number => from + (to - from) * u

/** Inverse of the cumulative distribution: the first name whose running sum passes u. */
const choose = <Name extends string>(weights: Weights<Name>, u: number): Name => {
  const names = keysOf<Name>(weights)
  let sum = 0
  return names.find((name) => (sum += weights[name]) > u) ?? at(names, names.length - 1)
}

const u32 = (u: number): number => Math.floor(u * 2 ** 32)

/**
 * The sun is up from 5 to 19 and the moon from 20 to 4, each on a sine arc; in the twilight between, the sun is below
 * the horizon.
 *
 * @param hour in [0, 24)
 * @returns which body lights the scene and its height: 0 is the horizon, 1 the zenith of the arc
 */
export const celestial = (hour: number): { readonly body: 'sun' | 'moon'; readonly altitude: number } => {
  const sun = Math.sin((Math.PI * (hour - 5)) / 14)
  const sinceMoonrise = (hour + 4) % 24
  return sinceMoonrise <= 8
    ? { body: 'moon', altitude: Math.sin((Math.PI * sinceMoonrise) / 8) }
    : { body: 'sun', altitude: sun }
}

/** The arc is flattened so that the disc stays in the picture at noon. */
const arcHeight = 0.84

/** Height on the picture by distance: far objects stand at the horizon and are drawn small. */
const perspective = (near: number, far: number, depth: number): number => far + (near - far) * depth

const boatSizes: Readonly<Record<Rig, { readonly near: number; readonly far: number }>> = {
  sloop: { near: 0.78, far: 0.17 },
  trawler: { near: 0.58, far: 0.13 },
  freighter: { near: 0.4, far: 0.12 },
}

const boatDepths: Readonly<Record<Rig, Interval>> = { sloop: [0.06, 0.5], trawler: [0.06, 0.5], freighter: [0.03, 0.2] }

type Place = { readonly x: Interval; readonly depth?: Interval }

const boat = (key: HostKey, place: Place): Boat => {
  const u = (i: number): number => hostUniform(key, i)
  const rig = choose(rigs, u(0))
  const depth = between(place.depth ?? boatDepths[rig], u(1))
  return {
    kind: 'boat',
    rig,
    x: between(place.x, u(2)),
    depth,
    size: perspective(boatSizes[rig].near, boatSizes[rig].far, depth) * between([0.85, 1.15], u(3)),
    heading: u(4) < 0.5 ? -1 : 1,
    heel: rig === 'sloop' ? between([-0.14, 0.14], u(5)) : between([-0.03, 0.03], u(5)),
    hull: choose(hullPaints, u(6)),
    sail: choose(sailCloths, u(7)),
  }
}

const bridge = (key: HostKey): Bridge => {
  const u = (i: number): number => hostUniform(key, i)
  const style = choose(bridgeStyles, u(0))
  const spans: Readonly<Record<typeof style, Interval>> = {
    arch: [1.1, 1.7],
    suspension: [1.9, 2.5],
    girder: [1.1, 1.8],
  }
  return {
    kind: 'bridge',
    style,
    x: between([0.3, 0.7], u(1)),
    depth: between([0.05, 0.2], u(2)),
    size: between(style === 'suspension' ? [0.26, 0.38] : [0.16, 0.26], u(3)),
    span: between(spans[style], u(4)),
    recede: between([-0.42, 0.42], u(5)),
  }
}

const stone = (key: HostKey, x: Interval): Stone => {
  const u = (i: number): number => hostUniform(key, i)
  const depth = between([0.15, 0.9], u(0))
  return {
    kind: 'stone',
    x: between(x, u(1)),
    depth,
    size: perspective(0.26, 0.06, depth) * between([0.7, 1.3], u(2)),
    aspect: between([0.7, 1.5], u(3)),
    shape: u32(u(4)),
  }
}

const buoy = (key: HostKey): Buoy => {
  const u = (i: number): number => hostUniform(key, i)
  const depth = between([0.25, 0.75], u(0))
  return {
    kind: 'buoy',
    x: between([0.15, 0.85], u(1)),
    depth,
    size: perspective(0.55, 0.16, depth) * between([0.85, 1.15], u(2)),
    mark: choose(buoyMarks, u(3)),
    tilt: between([-0.3, 0.3], u(4)),
  }
}

const anywhere: Place = { x: [0.15, 0.85] }

/** A cluster of two to five stones, some on each side of its middle. */
const stones = (key: HostKey): readonly Stone[] => {
  const count = 2 + Math.floor(hostUniform(key, 0) * 4)
  const middle = between([0.2, 0.8], hostUniform(key, 1))
  return Array.from({ length: count }, (_, i) =>
    stone(hostFold(key, i), [Math.max(0.04, middle - 0.3), Math.min(0.96, middle + 0.3)]),
  )
}

/** Boats one to a lane, so that they do not hide each other. */
const flotilla = (key: HostKey): readonly Boat[] => {
  const count = 2 + Math.floor(hostUniform(key, 0) * 2)
  const lane = 0.86 / count
  return Array.from({ length: count }, (_, i) =>
    boat(hostFold(key, i), { x: [0.07 + lane * (i + 0.25), 0.07 + lane * (i + 0.75)], depth: [0.03, 0.34] }),
  )
}

/** What each cast puts on the water; the child keys 0, 1 … are its members. */
const castings: Readonly<Record<Cast, (key: HostKey) => readonly SeaObject[]>> = {
  empty: () => [],
  boat: (key) => [boat(hostFold(key, 0), anywhere)],
  boats: flotilla,
  bridge: (key) => [bridge(hostFold(key, 0))],
  bridgeAndBoat: (key) => [bridge(hostFold(key, 0)), boat(hostFold(key, 1), { x: [0.15, 0.85], depth: [0.22, 0.5] })],
  stones,
  stonesAndBoat: (key) => [...stones(key), boat(hostFold(key, 9), { x: [0.15, 0.85], depth: [0.03, 0.2] })],
  buoy: (key) => [buoy(hostFold(key, 0))],
  buoyAndBoat: (key) => [buoy(hostFold(key, 0)), boat(hostFold(key, 1), { x: [0.15, 0.85], depth: [0.03, 0.15] })],
}

/**
 * Draws the factors of one sea.
 *
 * @param key names the scene; the same key gives the same factors
 * @returns the labels of the picture, objects far to near
 * @example
 * ```ts
 * import { seaScene } from 'fathom/data'
 *
 * const { dayPart, cast, objects } = seaScene([0, 7]) // the key's two words of 32 bits
 * dayPart // => 'dusk'
 * cast // => 'buoyAndBoat'
 * objects.map(({ kind }) => kind) // => ['boat', 'buoy']
 * ```
 */
export const seaScene = (key: HostKey): SeaFactors => {
  const u = (n: number, i = 0): number => hostUniform(hostFold(key, n), i)
  const dayPart: DayPart = choose(dayParts, u(stream.dayPart))
  const hour = between(dayPartHours[dayPart], u(stream.hour)) % 24
  const weather: Weather = choose(weathers, u(stream.weather))
  const { body, altitude } = celestial(hour)
  const cast = choose(casts, u(stream.cast))
  return {
    hour,
    dayPart,
    weather,
    sun: { body, x: between(ranges.sunX, u(stream.sunX)), altitude: altitude * arcHeight },
    hue: between(ranges.hue, u(stream.hue)),
    horizon: between(ranges.horizon, u(stream.horizon)),
    clouds: between(cloudCovers[weather], u(stream.clouds)),
    waves: {
      frequency: between(ranges.waveFrequency, u(stream.waves)),
      amplitude: between(waveAmplitudes[weather], u(stream.waves, 1)),
      direction: between(ranges.waveDirection, u(stream.waves, 2)),
    },
    foam: between(foams[weather], u(stream.foam)),
    coast: u(stream.coast) < coastProbability ? between(ranges.coastHeight, u(stream.coast, 1)) : 0,
    cast,
    objects: castings[cast](hostFold(key, stream.objects)).toSorted((a, b) => a.depth - b.depth),
    texture: u32(u(stream.texture)),
  }
}
