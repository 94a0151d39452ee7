/**
 * The factors of a sea: everything that decides a picture, which is also its label; and the distributions that they
 * are drawn from.
 *
 * The tables here are the declaration; `scene.ts` samples them and the tests hold the samples against them.
 */

/** A table from names to probabilities that sum to one. */
export type Weights<Name extends string> = Readonly<Record<Name, number>>

/** A closed interval from which a number is drawn uniformly. */
export type Interval = readonly [from: number, to: number]

/** Parts of the day. Golden hours are drawn more often than a clock would show them. */
export const dayParts = { night: 0.14, dawn: 0.22, day: 0.38, dusk: 0.26 } as const satisfies Weights<string>
/** The part of the day that a scene's hour lies in. */
export type DayPart = keyof typeof dayParts

/** Hours of each part of the day; the night runs over midnight and is given modulo 24. */
export const dayPartHours: Readonly<Record<DayPart, Interval>> = {
  night: [20.5, 27.5],
  dawn: [4.5, 8],
  day: [8, 16.5],
  dusk: [16.5, 20],
}

/** What the sky does. */
export const weathers = {
  clear: 0.34,
  fair: 0.36,
  overcast: 0.1,
  storm: 0.1,
  fog: 0.1,
} as const satisfies Weights<string>
/** The weather of a scene. */
export type Weather = keyof typeof weathers

/** Fraction of the sky that is cloud, by weather. */
export const cloudCovers: Readonly<Record<Weather, Interval>> = {
  clear: [0, 0.22],
  fair: [0.34, 0.6],
  overcast: [0.75, 0.95],
  storm: [0.8, 1],
  fog: [0.3, 0.6],
}

/** Height of the waves by weather, in units of an ordinary sea. */
export const waveAmplitudes: Readonly<Record<Weather, Interval>> = {
  clear: [0.25, 0.8],
  fair: [0.35, 1],
  overcast: [0.4, 1],
  storm: [1.1, 1.7],
  fog: [0.15, 0.45],
}

/** How much of the crests breaks, by weather; 0 is none. */
export const foams: Readonly<Record<Weather, Interval>> = {
  clear: [0, 0.35],
  fair: [0.05, 0.5],
  overcast: [0.1, 0.5],
  storm: [0.5, 1],
  fog: [0, 0.1],
}

/** Ranges of the factors that do not depend on others. */
export const ranges = {
  /** Degrees by which all colours are turned. */
  hue: [-22, 22],
  /** The horizon's height: fraction of the picture above it. */
  horizon: [0.34, 0.58],
  /** Sun or moon across the picture: 0 is its left edge, 1 its right. */
  sunX: [0.1, 0.9],
  /** Waves a unit of distance near the camera. */
  waveFrequency: [0.7, 1.5],
  /** Where the waves run to, in radians; 0 is straight at the camera. */
  waveDirection: [-0.9, 0.9],
  /** Height of the far coast as a fraction of the sky, where there is one. */
  coastHeight: [0.08, 0.3],
} as const satisfies Readonly<Record<string, Interval>>

/** Probability of a coast on the horizon. */
export const coastProbability = 0.35

/** What a scene is about: the kinds of objects that are placed together. */
export const casts = {
  empty: 0.1,
  boat: 0.24,
  boats: 0.14,
  bridge: 0.1,
  bridgeAndBoat: 0.1,
  stones: 0.12,
  stonesAndBoat: 0.08,
  buoy: 0.07,
  buoyAndBoat: 0.05,
} as const satisfies Weights<string>
/** The name of a scene's cast. */
export type Cast = keyof typeof casts

/** Rigs of boats. */
export const rigs = { sloop: 0.5, trawler: 0.3, freighter: 0.2 } as const satisfies Weights<string>
/** How a boat is built. */
export type Rig = keyof typeof rigs

/** Paints of hulls. */
export const hullPaints = {
  white: 0.3,
  red: 0.22,
  navy: 0.18,
  black: 0.12,
  teal: 0.1,
  wood: 0.08,
} as const satisfies Weights<string>
/** The paint of a hull. */
export type HullPaint = keyof typeof hullPaints

/** Cloths of sails. */
export const sailCloths = { white: 0.5, cream: 0.2, rust: 0.15, crimson: 0.15 } as const satisfies Weights<string>
/** The cloth of a sail. */
export type SailCloth = keyof typeof sailCloths

/** How bridges carry their decks. */
export const bridgeStyles = { arch: 0.45, suspension: 0.35, girder: 0.2 } as const satisfies Weights<string>
/** The style of a bridge. */
export type BridgeStyle = keyof typeof bridgeStyles

/** Colour schemes of buoys: lateral marks, safe water, and the north cardinal mark (IALA Maritime Buoyage System). */
export const buoyMarks = {
  port: 0.3,
  starboard: 0.25,
  safeWater: 0.25,
  cardinal: 0.2,
} as const satisfies Weights<string>
/** The scheme of a buoy. */
export type BuoyMark = keyof typeof buoyMarks

/** Where an object stands, and how large it is drawn. */
export type Placement = {
  /** Centre across the picture: 0 is its left edge, 1 its right. */
  readonly x: number
  /** Waterline: 0 is the horizon, 1 the bottom edge of the picture. */
  readonly depth: number
  /** Height in units of the picture's shorter side. */
  readonly size: number
}

/** A boat; `heading` is −1 when the bow points left; `heel` is the mast's lean in radians, positive to the right. */
export type Boat = Placement & {
  readonly kind: 'boat'
  readonly rig: Rig
  readonly heading: -1 | 1
  readonly heel: number
  readonly hull: HullPaint
  readonly sail: SailCloth
}

/**
 * A bridge from edge to edge; `span` is the distance of its piers in units of its height, `recede` how fast it shrinks
 * to the right.
 */
export type Bridge = Placement & {
  readonly kind: 'bridge'
  readonly style: BridgeStyle
  readonly span: number
  readonly recede: number
}

/** A rock; `aspect` is half its width over its height, `shape` the u32 seed of its outline and facets. */
export type Stone = Placement & { readonly kind: 'stone'; readonly aspect: number; readonly shape: number }

/** A buoy; `tilt` is its lean in radians, positive to the right. */
export type Buoy = Placement & { readonly kind: 'buoy'; readonly mark: BuoyMark; readonly tilt: number }

/** Anything that stands in the water. */
export type SeaObject = Boat | Bridge | Stone | Buoy

/** All that a picture of the sea shows. */
export type SeaFactors = {
  /** Hour of the day in [0, 24). */
  readonly hour: number
  readonly dayPart: DayPart
  readonly weather: Weather
  /**
   * The light in the sky: `x` across the picture; `altitude` 0 on the horizon, 1 at the upper edge, negative in
   * twilight (not seen).
   */
  readonly sun: { readonly body: 'sun' | 'moon'; readonly x: number; readonly altitude: number }
  /** Degrees by which all colours are turned. */
  readonly hue: number
  /** Fraction of the picture above the horizon. */
  readonly horizon: number
  /** Fraction of the sky that is cloud. */
  readonly clouds: number
  readonly waves: { readonly frequency: number; readonly amplitude: number; readonly direction: number }
  /** How much of the crests breaks, in [0, 1]. */
  readonly foam: number
  /** Height of the far coast as a fraction of the sky; 0 where there is none. */
  readonly coast: number
  readonly cast: Cast
  /** Far to near. */
  readonly objects: readonly SeaObject[]
  /** u32 seed of what has no label of its own: the places of clouds, crests and stars. */
  readonly texture: number
}
