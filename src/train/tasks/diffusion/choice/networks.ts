/** The networks among which is chosen for a folder of photographs, and what they cost. */
import type { UnetConfig } from '../../../../models/index.ts'

/** A U-Net, and what it costs. */
export interface Candidate {
  readonly model: UnetConfig
  /** Operations of training on one picture, in 10⁹ (GFLOP), where x has this side: by the plan of a step. */
  readonly gflop: number
  readonly side: number
}

const candidate = (
  width: number,
  multipliers: readonly number[],
  [heads, headWidth]: readonly [number, number],
  [gflop, side]: readonly [number, number],
): Candidate => ({ model: { width, multipliers, heads, headWidth }, gflop, side })

/** By width and the widths of the stages in multiples of it. */
export const networks = {
  'U16 1·2': candidate(16, [1, 2], [2, 8], [0.115, 16]),
  'U32 1·2·4': candidate(32, [1, 2, 4], [4, 16], [2.34, 32]),
  'U32 1·2·2·4': candidate(32, [1, 2, 2, 4], [4, 16], [7.81, 64]),
  'U48 1·2·4': candidate(48, [1, 2, 4], [4, 16], [5.04, 32]),
  'U48 1·2·2·4': candidate(48, [1, 2, 2, 4], [4, 32], [18.1, 64]),
  'U64 1·2·4': candidate(64, [1, 2, 4], [4, 32], [9.23, 32]),
  'U64 1·2·2·4': candidate(64, [1, 2, 2, 4], [4, 32], [30.8, 64]),
  'U64 1·2·4·8': candidate(64, [1, 2, 4, 8], [4, 32], [44.5, 64]),
  'U128 1·2·4': candidate(128, [1, 2, 4], [4, 32], [34.9, 32]),
} as const satisfies Readonly<Record<string, Candidate>>

/** The name of one. */
export type NetworkName = keyof typeof networks

/** How many photographs there are, as far as it matters for how large a network may be. */
export type Amount = 'few' | 'some' | 'many'

/** With few photographs the largest networks learn them by heart before they are good. */
export const amountOf = (photographs: number): Amount =>
  photographs < 500 ? 'few' : photographs <= 2000 ? 'some' : 'many'

/** From so many operations on, this network, by the amount of photographs. */
type Ladder = readonly (readonly [from: number, by: { readonly [K in Amount]: NetworkName }])[]

const all = (name: NetworkName) => ({ few: name, some: name, many: name })

/** Where networks work, with the side of the pictures for which the operations count; of other sizes they count by area. */
export const ladders = {
  tiny: { side: 16, steps: [[0, all('U16 1·2')]] },
  small: {
    side: 32,
    steps: [
      [0, all('U32 1·2·4')],
      [5e14, all('U48 1·2·4')],
      [5e15, { ...all('U64 1·2·4'), few: 'U48 1·2·4' }],
    ],
  },
  pixels: {
    side: 64,
    steps: [
      [0, all('U32 1·2·2·4')],
      [1e16, { few: 'U48 1·2·2·4', some: 'U64 1·2·2·4', many: 'U64 1·2·4·8' }],
    ],
  },
  latents: { side: 64, steps: [[0, { ...all('U64 1·2·4'), few: 'U48 1·2·4' }]] },
  'large latents': {
    side: 128,
    steps: [
      [0, { ...all('U64 1·2·4'), few: 'U48 1·2·4' }],
      [1e16, { ...all('U64 1·2·2·4'), few: 'U48 1·2·2·4' }],
      [5e16, { few: 'U48 1·2·2·4', some: 'U64 1·2·2·4', many: 'U128 1·2·4' }],
    ],
  },
} as const satisfies Readonly<Record<string, { readonly side: number; readonly steps: Ladder }>>

/** The network for so many operations and photographs. */
export const networkFor = (where: keyof typeof ladders, flops: number, side: number, amount: Amount): NetworkName => {
  const { side: base, steps } = ladders[where]
  const atBase = flops / (side / base) ** 2
  const fitting: Ladder = steps
  return fitting.reduce<NetworkName>((name, [from, by]) => (atBase >= from ? by[amount] : name), 'U16 1·2')
}
