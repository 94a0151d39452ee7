/** The scores of a judgement as rows that a person reads: a name, what it means, and the number of each set. */
import { keysOf } from '../../prelude/record.ts'
import type { Judgement, SetName } from '../judgement.ts'
import { factors } from '../scenes/factors.ts'
import type { SetScores, SpaceScores } from '../scores/scoreSet.ts'

/** The sets in the order of a legend, with their names for a person. */
export const setNames: { readonly [S in SetName]: string } = {
  generated: 'generated',
  real: 'other real pictures',
  reconstructed: 'real ones through the autoencoder',
  gaussian: 'Gaussian of the pixels',
  blurred: 'real ones, blurred σ = 1',
  copied: 'copies of training',
}

/** One number of every set. */
export interface Measure {
  readonly name: string
  readonly unit: string
  /** How many decimals it is shown with. */
  readonly digits: number
  readonly values: readonly (readonly [set: SetName, value: number])[]
  readonly interval?: readonly [low: number, high: number]
  /** The p-value of the generated pictures, where there is a test. */
  readonly p?: number
  /** Where generated pictures that are as good as real ones stand, where that is one number. */
  readonly target?: number
}

/** Measures of one kind, and what they mean. */
export interface Group {
  readonly title: string
  readonly words: string
  readonly measures: readonly Measure[]
}

const valuesOf = (
  { sets }: Judgement,
  value: (scores: SetScores) => number | undefined,
): readonly (readonly [SetName, number])[] =>
  keysOf(setNames).flatMap((name) => {
    const scores = sets[name]
    const found = scores === undefined ? undefined : value(scores)
    return found === undefined ? [] : [[name, found] as const]
  })

/** A measure of one feature space, as many as there are spaces. */
const inSpaces = (
  judgement: Judgement,
  value: (scores: SpaceScores) => number,
  more: (name: string, scores: SpaceScores) => Omit<Measure, 'values'>,
): readonly Measure[] =>
  Object.entries(judgement.sets.generated.spaces).map(([space, scores]) => ({
    ...more(`${space} features`, scores),
    values: valuesOf(judgement, ({ spaces }) => {
      const own = spaces[space]
      return own === undefined ? undefined : value(own)
    }),
  }))

const distances = (judgement: Judgement): Group => ({
  title: 'How far apart are the two kinds of pictures?',
  words:
    'The kernel distance, MMD², unbiased: 0 is one kind, and chance puts real pictures a little on either side of it. The bar is its 95 % interval. Smaller is better; no picture can be asked to be nearer than other real ones are.',
  measures: inSpaces(
    judgement,
    ({ kernel }) => kernel.value,
    (name, { kernel }) => ({ name, unit: '', digits: 4, interval: kernel.interval, p: kernel.p, target: 0 }),
  ),
})

const tellers = (judgement: Judgement): Group => ({
  title: 'Can a neighbour tell which is which?',
  words:
    'The share of pictures whose nearest neighbour is of their own kind. 50 %: they cannot be told apart. 100 %: always. Below 50 % for the generated: each sits beside the real picture that it was copied from.',
  measures: [
    ...inSpaces(
      judgement,
      ({ nearest }) => 100 * nearest.real,
      (name, { nearest }) => ({ name: `real, ${name}`, unit: '%', digits: 1, p: nearest.p, target: 50 }),
    ),
    ...inSpaces(
      judgement,
      ({ nearest }) => 100 * nearest.generated,
      (name) => ({ name: `generated, ${name}`, unit: '%', digits: 1, target: 50 }),
    ),
  ],
})

const balls = (judgement: Judgement): Group => ({
  title: 'Do they look real, and is every kind of picture met?',
  words:
    'Precision: the share of generated pictures among real ones. Density: how deep among them; 1 is usual, more is crowding at what is typical. Recall and coverage: the share of real pictures that generated ones come near to: low where a model leaves kinds of pictures out.',
  measures: [
    ...inSpaces(
      judgement,
      (s) => 100 * s.manifold.precision,
      (name) => ({ name: `precision, ${name}`, unit: '%', digits: 1 }),
    ),
    ...inSpaces(
      judgement,
      (s) => s.manifold.density,
      (name) => ({ name: `density, ${name}`, unit: '', digits: 2, target: 1 }),
    ),
    ...inSpaces(
      judgement,
      (s) => 100 * s.manifold.recall,
      (name) => ({ name: `recall, ${name}`, unit: '%', digits: 1 }),
    ),
    ...inSpaces(
      judgement,
      (s) => 100 * s.manifold.coverage,
      (name, { manifold }) => ({ name: `coverage, ${name}`, unit: '%', digits: 1, p: manifold.p }),
    ),
  ],
})

const textures = (judgement: Judgement): Group => ({
  title: 'Is the texture right, at each scale?',
  words:
    'The sliced Wasserstein distance of 7×7 patches, by octave of detail. The finest level sees blur and noise, the coarsest colour and light. In deviations of a pixel; smaller is better.',
  measures: judgement.sets.generated.levels.map(({ side, p }, i) => ({
    name: `detail at ${side} pixels`,
    unit: '',
    digits: 3,
    p,
    values: valuesOf(judgement, ({ levels }) => levels[i]?.value),
  })),
})

const scenes = (judgement: Judgement): Group => ({
  title: 'Are the scenes alike?',
  words:
    'What a picture alone tells of its scene. The number is how far the histograms are apart (Wasserstein), in the unit that is named; the shift is that of the mean.',
  measures: judgement.sets.generated.factors.map(({ factor, p, shift }, i) => ({
    name: `${factors[factor].label} (${shift < 0 ? '−' : '+'}${Math.abs(shift).toFixed(1)})`,
    unit: factors[factor].unit.startsWith('%') ? '%' : factors[factor].unit,
    digits: 2,
    p,
    values: valuesOf(judgement, (scores) => scores.factors[i]?.value),
  })),
})

/** All groups of a judgement that have measures. */
export const groupsOf = (judgement: Judgement): readonly Group[] =>
  [distances, tellers, balls, textures, scenes]
    .map((group) => group(judgement))
    .filter(({ measures }) => measures.length > 0)
