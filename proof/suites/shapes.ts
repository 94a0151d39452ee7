/** The shapes that break loops: no axes, an axis of 0, an axis of 1, an odd length. */
import fc from 'fast-check'
import { gradientError } from '../../src/autograd/check.ts'
import { count, type NdArray } from '../array.ts'
import { shapeKinds, type Case, type Entry, type ShapeKind } from '../registry/entry.ts'
import { checkCases, dataOf, differentiable, everywhere, usual, type Suite } from './suite.ts'
import { checkValues } from './values.ts'

const isOf: { readonly [K in ShapeKind]: (x: Pick<NdArray, 'shape'>) => boolean } = {
  scalar: ({ shape }) => shape.length === 0,
  empty: ({ shape }) => count(shape) === 0,
  one: ({ shape }) => shape.includes(1),
  odd: ({ shape }) => shape.some((n) => n >= 3 && n % 2 === 1),
}

/** By the inputs; what has none is judged by its result. */
const hasKind = (kind: ShapeKind, { inputs, oracle }: Case): boolean =>
  (inputs.length > 0 ? inputs : [oracle?.() ?? { shape: [] }]).some(isOf[kind])

const kindsOf = (entry: Entry): readonly ShapeKind[] => shapeKinds.filter((k) => !entry.lacks.includes(k))

/** As many cases of each kind as asked for: values everywhere, and the gradient in f64. Fails when a kind cannot be drawn. */
export const shapes: Suite = async (subject, entry, options) => {
  const devices = everywhere.map(({ name, open }) => [name, open()] as const)
  const device = usual.open()
  const smooth = entry.smooth ?? entry.cases('f64')
  let [checks, worst] = [0, 0]
  for (const kind of kindsOf(entry)) {
    const drawn = fc.sample(entry.cases(entry.dtypes[0] ?? 'f64'), { seed: options.seed, numRuns: 300 })
    const found = drawn.filter((c) => hasKind(kind, c))
    const [first] = found
    if (first === undefined) throw new Error(`shapes of ${subject}: no case has a shape of the kind '${kind}'`)
    const tally = await checkCases(
      'shapes',
      `${subject}, ${kind}`,
      fc.constantFrom(first, ...found),
      options,
      async (c) => checkValues(devices, entry, c),
    )
    const flat = fc.sample(smooth, { seed: options.seed, numRuns: 300 }).filter((c) => hasKind(kind, c))
    for (const c of flat.slice(0, options.runs)) {
      if (differentiable(entry, c).length === 0 || c.inputs.some((x) => count(x.shape) > entry.elements)) continue
      const error = await gradientError(
        device,
        c.build,
        dataOf(c),
        entry.step === undefined ? {} : { step: entry.step },
      )
      if (!(error.worst <= 1)) throw new Error(`shapes of ${subject}, ${kind}: ${error.message}`)
      ;[checks, worst] = [checks + 1, Math.max(worst, error.worst)]
    }
    ;[checks, worst] = [checks + tally.checks, Math.max(worst, tally.worst)]
  }
  for (const [, d] of devices) await d.close()
  await device.close()
  return { suite: 'shapes', subject, seed: options.seed, checks, worst }
}
