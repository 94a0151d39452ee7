/** vmap with the derivatives, in every order: each transform of the mapped function against the same transform of the stack of slices. */
import fc from 'fast-check'
import { jvp, vjp } from '../../src/autograd/index.ts'
import { call, checkpoint } from '../../src/tensor/annotate.ts'
import { constant } from '../../src/tensor/create.ts'
import { isFloat } from '../../src/graph/dtype.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { leaves, refill } from '../../src/tensor/tree.ts'
import { difference } from '../fuzz/compare.ts'
import type { Case, Entry } from '../registry/entry.ts'
import {
  checkCases,
  differentiable,
  inInputs,
  onDevice,
  quadratic,
  smoothCases,
  usual,
  vectorLike,
  type Held,
  type Suite,
} from './suite.ts'
import {
  dataOf,
  mapped,
  mappedCases,
  oneByOne,
  readAll,
  show,
  type Function,
  type Mapped,
  type Slices,
} from './vmap.ts'

const one64 = (): Tensor => constant(1, { dtype: 'f64' })

/** The gradient of a quadratic of the result, in the inputs at `at`. */
const gradientOf =
  (build: Case['build'], at: readonly number[]): Function =>
  (...xs) =>
    vjp(quadratic(inInputs(build, xs, at)), ...at.flatMap((i) => xs[i] ?? [])).pullback(one64())

/** The derivative of the result along a fixed direction. */
const tangentOf =
  (build: Case['build'], at: readonly number[]): Function =>
  (...xs) => {
    const point = at.flatMap((i) => xs[i] ?? [])
    return [
      jvp(
        inInputs(build, xs, at),
        point,
        point.map((x, i) => vectorLike(x, 0.3 + i)),
      ).tangent,
    ]
  }

/** A function of the slices of all inputs. */
type OfSlices = (slices: readonly Slices[]) => readonly Tensor[]

/** As a function of those slices that are floats. */
const ofFloats = (f: OfSlices, slices: readonly Slices[]): readonly [f: Function, point: readonly Tensor[]] => {
  const all = leaves(slices)
  const places = [...all.keys()].filter((i) => isFloat(all[i]?.dtype ?? 'bool'))
  const inside: Function = (...moved) =>
    f(
      refill(
        slices,
        all.map((x, i) => moved[places.indexOf(i)] ?? x),
      ),
    ).filter((y) => isFloat(y.dtype))
  return [inside, places.flatMap((i) => all[i] ?? [])]
}

/** Around the mapped function and the stack of slices alike. */
const transforms: { readonly [name: string]: (f: OfSlices) => OfSlices } = {
  none: (f) => f,
  grad: (f) => (slices) => {
    const [inside, point] = ofFloats(f, slices)
    const loss = (...xs: readonly Tensor[]): Tensor =>
      inside(...xs)
        .map((y, i) => y.cast('f64').square().mul(vectorLike(y, i)).sum())
        .reduce((a, b) => a.add(b), one64())
    return vjp(loss, ...point).pullback(one64())
  },
  jvp: (f) => (slices) => {
    const [inside, point] = ofFloats(f, slices)
    return jvp(
      inside,
      point,
      point.map((x, i) => vectorLike(x, 0.7 + i).cast(x.dtype)),
    ).tangent
  },
}

/** What is mapped, of the operation. */
const functions: { readonly [name: string]: (build: Case['build'], at: readonly number[]) => Function } = {
  value:
    (build) =>
    (...xs) => [build(...xs)],
  gradient: gradientOf,
  tangent: tangentOf,
}

const annotations: { readonly [name: string]: (build: Case['build']) => Case['build'] } = {
  bare: (build) => build,
  call: (build) => call('operation', build),
  checkpoint,
}

interface Order {
  readonly around: string
  readonly of: string
  readonly annotation: string
}

/** All orders but the plain values, which the suite of values has. */
const orders: fc.Arbitrary<Order> = fc
  .record({
    around: fc.constantFrom(...Object.keys(transforms)),
    of: fc.constantFrom(...Object.keys(functions)),
    annotation: fc.constantFrom(...Object.keys(annotations)),
  })
  .filter(({ around, of }) => around !== 'none' || of !== 'value')

const orderedCases = (entry: Entry): fc.Arbitrary<Mapped & Order> =>
  mappedCases(smoothCases(entry)).chain((c) => orders.map((order) => ({ ...c, ...order })))

const chosen = <T>(table: { readonly [name: string]: T }, name: string): T => {
  const found = table[name]
  if (found === undefined) throw new Error(`there is no '${name}'`)
  return found
}

/** In f64, to 1e-10 of the largest element: sums over what slices share have another order. One check a case. */
export const vmapDerivatives: Suite = async (subject, entry, { on = usual, ...amount }) =>
  onDevice(on, async (device) =>
    checkCases('vmap with derivatives', subject, orderedCases(entry), amount, async (c): Promise<Held> => {
      const build = chosen(annotations, c.annotation)(c.build)
      const f = chosen(functions, c.of)(build, differentiable(entry, c))
      const around = chosen(transforms, c.around)
      const both = (slices: readonly Slices[]): readonly (readonly Tensor[])[] => [
        around((s) => mapped(f, c, s))(slices),
        around((s) => oneByOne(f, c, s))(slices),
      ]
      const data = dataOf(c)
      const [got = [], expected = []] = await device.compile(both)(data)
      const allowed = { tolerance: { f64: 1e-10 }, sensitivity: expected.map(() => 'f64' as const) }
      const wrong = difference(await readAll(device, got), await readAll(device, expected), allowed)
      if (wrong !== undefined)
        throw new Error(`${c.around} of vmap of the ${c.of}, ${c.annotation}, ${show(c)}: ${wrong}`)
      return { checks: 1, worst: 0 }
    }),
  )
