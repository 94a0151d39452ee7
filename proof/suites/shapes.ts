/** The shapes that break loops: no axes, an axis of 0, an axis of 1, an odd length. */
import fc from 'fast-check'
import type { Device } from '../../src/tensor/device.ts'
import { count, type NdArray } from '../array.ts'
import { shapeKinds, type Case, type Entry, type ShapeKind } from '../registry/entry.ts'
import { differenceError } from './gradient.ts'
import { differentiable, everywhere, usual, type Held, type Suite } from './suite.ts'
import { checkValues } from './values.ts'

const isOf: { readonly [K in ShapeKind]: (x: Pick<NdArray, 'shape'>) => boolean } = {
  scalar: ({ shape }) => shape.length === 0,
  empty: ({ shape }) => count(shape) === 0,
  one: ({ shape }) => shape.includes(1),
  odd: ({ shape }) => shape.some((n) => n >= 3 && n % 2 === 1),
}

/** By the inputs; what has none is judged by its result. */
const hasKind = (kind: ShapeKind, { inputs, oracle }: Case): boolean =>
  (inputs.length > 0 ? inputs : [oracle?.(...inputs) ?? { shape: [] }]).some(isOf[kind])

const kindsOf = (entry: Entry): readonly ShapeKind[] => shapeKinds.filter((k) => !entry.lacks.includes(k))

/** The first `count` cases of a kind, of at most some hundreds. */
const drawn = (cases: fc.Arbitrary<Case>, kind: ShapeKind, seed: number, count: number): readonly Case[] => {
  const found: Case[] = []
  for (let chunk = 0; chunk < 20 && found.length < count; chunk++)
    found.push(...fc.sample(cases, { seed: seed + chunk, numRuns: 20 }).filter((c) => hasKind(kind, c)))
  return found.slice(0, count)
}

/** The gradient of one case in f64, where there is one. */
const checkGradient = async (device: Device, entry: Entry, c: Case): Promise<Held> => {
  if (differentiable(entry, c).length === 0 || c.inputs.some((x) => count(x.shape) > entry.elements))
    return { checks: 0, worst: 0 }
  return { checks: 1, worst: await differenceError(device, c.build, c, entry) }
}

/** As many cases of each kind as asked for: values everywhere, and the gradient in f64. Fails when a kind cannot be drawn. */
export const shapes: Suite = async (subject, entry, { seed, runs }) => {
  const devices = everywhere.map((configuration) => [configuration, configuration.open()] as const)
  const device = usual.open()
  const held: Held[] = []
  for (const kind of kindsOf(entry)) {
    const cases = drawn(fc.constantFrom(...entry.dtypes).chain(entry.cases), kind, seed, runs)
    if (cases.length === 0) throw new Error(`shapes of ${subject}: no case has a shape of the kind '${kind}'`)
    const smooth =
      entry.differentiableIn.length === 0 ? [] : drawn(entry.smooth ?? entry.cases('f64'), kind, seed, runs)
    try {
      for (const c of cases) held.push(await checkValues(devices, entry, c))
      for (const c of smooth) held.push(await checkGradient(device, entry, c))
    } catch (e) {
      throw new Error(`shapes of ${subject}, ${kind}: ${e instanceof Error ? e.message : String(e)}`, { cause: e })
    }
  }
  for (const d of [device, ...devices.map(([, d]) => d)]) await d.close()
  const checks = held.reduce((sum, h) => sum + h.checks, 0)
  return { suite: 'shapes', subject, seed, checks, worst: Math.max(0, ...held.map((h) => h.worst)) }
}
