/** Reductions as loops: which elements belong to a result, and how one invocation reduces them. */
import { at, product } from '../../../prelude/array.ts'
import type { DType } from '../../../graph/dtype.ts'
import { domainOf } from '../../../compiler/domain.ts'
import type { ReduceKernel } from '../../../compiler/kernel.ts'
import { reductionBox, type ReductionBox } from '../../../compiler/reduction.ts'
import type { View } from '../../../compiler/view.ts'
import { addressOf, coordinatesOf, viewsOf, writeBody, writeBodyAt, type BodyOptions } from '../wgsl/body.ts'
import type { Shader } from '../wgsl/shader.ts'
import { u32 } from '../wgsl/text.ts'
import { accumulator } from './accumulate.ts'

/** A reduction as loops: what is read at coordinates of the box. */
export interface Loops {
  readonly box: ReductionBox
  /** The body's value at these coordinates. */
  readonly valueAt: (shader: Shader, coordinates: readonly string[], options: BodyOptions) => string
}

const last = (values: readonly string[]): string => at(values, values.length - 1)

/** The loops of a reduction. */
export const loopsOf = ({ body, target }: ReduceKernel): Loops => {
  const views = viewsOf(body)
  const domain = domainOf(body.size, [target, ...views])
  if (domain !== undefined) {
    const box = reductionBox(domain)
    const tracks = box.domain.tracks.slice(1)
    const placeOf = (coordinates: readonly string[]): readonly string[] =>
      views.map(({ offset }, v) => addressOf(offset, at(tracks, v).strides, coordinates))
    return { box, valueAt: (shader, c, options) => last(writeBodyAt(shader, body, placeOf(c), options)) }
  }
  // Axes that cross: the linear index is one more view, which never does, and each operand finds its element from it.
  const line: View = { offset: 0, shape: [body.size], strides: [1] }
  const crossing = domainOf(body.size, [target, line])
  if (crossing === undefined) throw new TypeError(`webgpu: a reduction of ${body.size} elements has no axes`)
  const box = reductionBox(crossing)
  const { strides } = at(box.domain.tracks, 1)
  return {
    box,
    valueAt: (shader, c, options) => {
      const index = shader.fresh('index')
      shader.main.add(`let ${index} = ${addressOf(0, strides, c)};`)
      return last(writeBody(shader, body, index, options))
    },
  }
}

/** Loops over the reduced axes, of which the cut one may be a part. */
const loop = (
  shader: Shader,
  { domain: { lengths }, kept }: ReductionBox,
  bounds: (axis: number) => readonly [from: string, to: string],
  inside: (coordinates: readonly string[]) => void,
): void => {
  const { main, fresh } = shader
  const nested = (axis: number, coordinates: readonly string[]): void => {
    if (axis === lengths.length) {
      inside(coordinates)
      return
    }
    const [from, to] = bounds(axis)
    const r = fresh('r')
    main.block(`for (var ${r} = ${from}; ${r} < ${to}; ${r}++)`, () => {
      nested(axis + 1, [...coordinates, r])
    })
  }
  nested(kept, [])
}

/** The dtypes of what is reduced, and of the result. */
export const dtypesOf = ({ body, dtype }: ReduceKernel): readonly [from: DType, to: DType] => [
  at(body.instructions, body.instructions.length - 1).dtype,
  dtype,
]

/** Reduces the elements of one result by loops of one invocation. @returns the partial result's name */
export const reduced = (
  shader: Shader,
  kernel: ReduceKernel,
  { box, valueAt }: Loops,
  result: string,
  options: BodyOptions,
  bounds: (axis: number) => readonly [string, string],
): string => {
  const { lengths } = box.domain
  const outer = coordinatesOf(shader, result, lengths.slice(0, box.kept))
  const sums = accumulator(shader, kernel.operation, dtypesOf(kernel), product(lengths.slice(box.kept)))
  loop(shader, box, bounds, (inner) => {
    sums.add(valueAt(shader, [...outer, ...inner], options))
  })
  return sums.total()
}

/** One result by one invocation: the partial result's name. */
export const wholeOf = (
  shader: Shader,
  kernel: ReduceKernel,
  loops: Loops,
  result: string,
  options: BodyOptions,
): string => reduced(shader, kernel, loops, result, options, (axis) => ['0u', u32(at(loops.box.domain.lengths, axis))])
