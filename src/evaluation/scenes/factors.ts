/**
 * The factors of a scene that a picture alone tells: the height of the horizon, the colour of the sky, and the light.
 * Each is one number in a unit of its own; the test holds each against the factors that the generator painted with.
 */
import { range } from '../../prelude/array.ts'
import { horizonOf } from './horizon.ts'
import { labOf, type Lab } from './lab.ts'
import { pixelAt, type Picture } from './picture.ts'
import { deviation, mean } from '../statistics.ts'
import { sunColumn } from './sunColumn.ts'

/** The names and units of what is estimated, in the order of the report. */
export const factors = {
  horizon: { label: 'horizon', unit: '% of the picture above it' },
  skyLightness: { label: 'sky: lightness', unit: 'L*' },
  skyRed: { label: 'sky: green to red', unit: 'a*' },
  skyWarmth: { label: 'sky: blue to yellow', unit: 'b*' },
  lightness: { label: 'light: mean', unit: 'L*' },
  contrast: { label: 'light: deviation', unit: 'L*' },
  sun: { label: 'light: its place', unit: '% of width' },
} as const

/** The name of a factor. */
export type FactorName = keyof typeof factors

/** The factors of one picture. */
export type Estimate = { readonly [F in FactorName]: number }

/** The names, in order. */
export const factorNames: readonly FactorName[] = [
  'horizon',
  'skyLightness',
  'skyRed',
  'skyWarmth',
  'lightness',
  'contrast',
  'sun',
]

const coloursOf = (picture: Picture): readonly Lab[] =>
  range(picture.height * picture.width).map((p) => labOf(...pixelAt(picture, p)))

/** Estimates the factors of a picture of at least four rows. */
export const estimate = (picture: Picture): Estimate => {
  const horizon = horizonOf(picture)
  // Whole rows of sky: the one that holds the horizon is part water.
  const skyRows = Math.max(1, Math.floor(horizon * picture.height))
  const colours = coloursOf(picture)
  const sky = colours.slice(0, skyRows * picture.width)
  const lightness = colours.map(({ L }) => L)
  return {
    horizon: 100 * horizon,
    skyLightness: mean(sky.map(({ L }) => L)),
    skyRed: mean(sky.map(({ a }) => a)),
    skyWarmth: mean(sky.map(({ b }) => b)),
    lightness: mean(lightness),
    contrast: deviation(lightness),
    sun: 100 * sunColumn(picture, skyRows),
  }
}
