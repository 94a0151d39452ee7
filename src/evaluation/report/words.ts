/** What a judgement says, in sentences. */
import type { Judgement } from '../judgement.ts'
import { mean } from '../statistics.ts'
import { shown } from './html.ts'

/** Below this an adjusted p-value is an alarm. */
export const alarmBelow = 0.05

const list = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`

const percent = (share: number): string => `${shown(100 * share, 0)} %`

/** Whether they can be told from real ones, and by what. */
const apart = ({ tests, count }: Judgement): string => {
  const alarms = tests.filter(({ adjusted }) => adjusted < alarmBelow)
  if (alarms.length === 0)
    return `No test tells ${count} generated pictures from ${count} real ones. That is no proof that they are alike: more pictures see more.`
  return `${alarms.length} of ${tests.length} tests tell the generated pictures from real ones: ${list(alarms.map(({ name }) => name))}.`
}

/** How far the kernel distance has come from the Gaussian to the real ones, in each space in which these two are surely apart. */
const onTheWay = ({ sets }: Judgement): readonly string[] => {
  const shares = Object.entries(sets.generated.spaces).flatMap(([space, { kernel }]) => {
    const gaussian = sets.gaussian?.spaces[space]?.kernel
    return gaussian !== undefined && gaussian.interval[0] > 0
      ? [`${shown(Math.max(0, kernel.value / gaussian.value), 2)} (${space})`]
      : []
  })
  return shares.length === 0
    ? []
    : [
        `Their kernel distance from real pictures is ${list(shares)} times that of a Gaussian of the pixels, which has learned colours and no shapes.`,
      ]
}

const kinds = ({ sets }: Judgement): string => {
  const of = (which: 'generated' | 'real', score: 'coverage' | 'precision'): number =>
    mean(Object.values(sets[which].spaces).map(({ manifold }) => manifold[score]))
  return `${percent(of('generated', 'precision'))} of them lie among real pictures (of other real ones: ${percent(of('real', 'precision'))}), and they come near to ${percent(of('generated', 'coverage'))} of the real ones (${percent(of('real', 'coverage'))}).`
}

const remembered = ({ memory: { copies, repeats, nearer } }: Judgement): string => {
  const { generated, usual } = copies
  const also = `of real pictures, which are none, ${usual.found} of ${usual.all} would be called so`
  const seen =
    nearer.p < alarmBelow
      ? `They are nearer to what the model was trained on than to what it was not: ${percent(nearer.value)}, where 50 % is usual.`
      : `They are no nearer to what the model was trained on than to what it was not: ${percent(nearer.value)}, where 50 % is usual.`
  return `${generated.found} of ${generated.all} are copies of training pictures; ${also}. ${repeats.generated.found} repeat another generated picture (${repeats.usual.found} of ${repeats.usual.all} real ones do). ${seen}`
}

/**
 * A judgement in sentences, the most important first.
 *
 * @example
 * ```ts
 * import { seas } from 'fathom/data'
 * import { judge, sentencesOf } from 'fathom/evaluation'
 *
 * const data = seas({ seed: 1, size: 16 })
 * const of = (first: number, count: number) => ({
 *   height: 16, width: 16, channels: 3, pictures: Array.from({ length: count }, (_, i) => data.image(first + i)),
 * })
 * const judgement = await judge(device, { generated: of(900, 16), training: of(0, 48), heldOut: of(100, 8), permutations: 99 })
 * sentencesOf(judgement)[0] // => 'No test tells 16 generated pictures from 16 real ones. …'
 * ```
 */
export const sentencesOf = (judgement: Judgement): readonly string[] => [
  apart(judgement),
  ...onTheWay(judgement),
  kinds(judgement),
  remembered(judgement),
]
