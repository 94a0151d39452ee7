/** Loops: a body that keeps a constant, a carry and elements apart. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import { makeNode } from '../../../src/graph/node.ts'
import type { Loop, NodeOf } from '../../../src/graph/ops.ts'
import { arrays, elementAt, indices, shapes, stored, type NdArray } from '../../array.ts'
import { arithmeticTypes, badShape, entry, one, type Case, type Entry, type Expected } from '../entry.ts'
import { apply } from './node.ts'

/** How a loop runs, and what is asked of it. */
interface Running {
  readonly length: number
  readonly reverse: boolean
  readonly stacked: boolean
}

/** c ← (x + w) − c */
const loopOf = (dtype: DType, shape: readonly number[], { length, reverse }: Running): Loop => {
  const parameter = (index: number): NodeOf<'parameter'> => makeNode('parameter', { index, shape, dtype }, [])
  const [w, c, x] = [parameter(0), parameter(1), parameter(2)]
  const next = makeNode('add', {}, [makeNode('add', {}, [x, w]), makeNode('neg', {}, [c])])
  return { length, reverse, constants: [w], carries: [c], elements: [x], next: [next] }
}

const computed = (
  dtype: DType,
  [w, c, xs]: readonly [NdArray, NdArray, NdArray],
  { length, reverse, stacked }: Running,
): Expected => {
  const all = indices(c.shape)
  let carry = c.data
  const rows = new Map<number, readonly number[]>()
  for (let t = 0; t < length; t++) {
    const i = reverse ? length - 1 - t : t
    carry = all.map((at, k) =>
      stored(dtype, stored(dtype, elementAt(xs, [i, ...at]) + elementAt(w, at)) - (carry[k] ?? NaN)),
    )
    rows.set(i, carry)
  }
  if (!stacked) return { shape: c.shape, data: carry }
  return { shape: [length, ...c.shape], data: Array.from({ length }, (_, i) => rows.get(i) ?? []).flat() }
}

const cases = (dtype: DType): fc.Arbitrary<Case> =>
  fc
    .tuple(shapes(0, 2), fc.integer({ min: 1, max: 4 }), fc.boolean(), fc.boolean())
    .chain(([shape, length, reverse, stacked]) =>
      fc.tuple(arrays(shape, dtype), arrays(shape, dtype), arrays([length, ...shape], dtype)).map((inputs): Case => {
        const running = { length, reverse, stacked }
        const loop = loopOf(dtype, shape, running)
        const [next] = loop.next
        const result =
          stacked && next !== undefined
            ? ({ kind: 'stacked', node: next } as const)
            : ({ kind: 'last', carry: 0 } as const)
        return {
          inputs,
          build: (...xs) => apply('scan', { loop, result }, ...xs),
          oracle: (w, c, xs) => computed(dtype, [w, c, xs] as readonly [NdArray, NdArray, NdArray], running),
        }
      }),
    )

const three: Running = { length: 3, reverse: false, stacked: false }

/** A row for each. */
export const loops: { readonly scan: Entry } = {
  scan: entry({
    dtypes: arithmeticTypes,
    cases,
    differentiableIn: [0, 1, 2],
    errors: [
      badShape(
        /^scan: a loop over f32\[2\], f32\[2\], f32\[3,2\] is given f32\[2\], f32\[2\], f32\[4,2\]$/,
        ['f32[2]', 'f32[2]', 'f32[4,2]'],
        (...xs) => apply('scan', { loop: loopOf('f32', [2], three), result: { kind: 'last', carry: 0 } }, ...xs),
      ),
      badShape(/^scan: carries f32\[2\] become f32\[\]$/, ['f32[2]', 'f32[2]', 'f32[3,2]', 'f32[]'], (w, c, xs, s) =>
        apply(
          'scan',
          { loop: { ...loopOf('f32', [2], three), next: [one(s).node] }, result: { kind: 'last', carry: 0 } },
          w,
          c,
          xs,
        ),
      ),
    ],
  }),
}
