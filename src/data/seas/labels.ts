/** What a sea shows, as labels: yes or no, several at once. */
import { keysOf } from '../../prelude/record.ts'
import type { Labels } from '../labels.ts'
import { dayParts, weathers, type SeaFactors, type SeaObject } from './factors.ts'

const kinds = { boat: 0, bridge: 0, stone: 0, buoy: 0 } as const satisfies Record<SeaObject['kind'], 0>

/** Each label, and whether it holds. */
const questions: readonly (readonly [name: string, holds: (sea: SeaFactors) => boolean])[] = [
  ...keysOf<SeaObject['kind']>(kinds).map(
    (kind) => [kind, (sea: SeaFactors) => sea.objects.some((object) => object.kind === kind)] as const,
  ),
  ['coast', (sea) => sea.coast > 0],
  ...keysOf<SeaFactors['dayPart']>(dayParts).map((part) => [part, (sea: SeaFactors) => sea.dayPart === part] as const),
  ...keysOf<SeaFactors['weather']>(weathers).map(
    (weather) => [weather, (sea: SeaFactors) => sea.weather === weather] as const,
  ),
]

/**
 * Labels of procedural seas, which are known because they were drawn: which kinds of objects are on the water, whether there is a coast,
 * the part of the day and the weather. A 1 for each that holds.
 *
 * @param data what gives the factors of a sea: `seas(…)`
 * @example
 * ```ts
 * import { seaLabels, seas } from 'fathom/data'
 *
 * const { names, of } = seaLabels(seas({ seed: 4, size: 8 }))
 * names.slice(0, 5) // => ['boat', 'bridge', 'stone', 'buoy', 'coast']
 * names.slice(5) // => ['night', 'dawn', 'day', 'dusk', 'clear', 'fair', 'overcast', 'storm', 'fog']
 * names.filter((_, i) => of(5)[i] === 1) // => ['bridge', 'coast', 'day', 'overcast']
 * ```
 */
export const seaLabels = ({ factors }: { readonly factors: (index: number) => SeaFactors }): Labels => ({
  names: questions.map(([name]) => name),
  of: (index) => {
    const sea = factors(index)
    return Float32Array.from(questions, ([, holds]) => (holds(sea) ? 1 : 0))
  },
})
