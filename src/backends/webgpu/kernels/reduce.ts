/** Reductions: an invocation for each result, or for those that lie in one word; few long ones are cut into parts, which a second phase puts together. */
import { at, product, range } from '../../../prelude/array.ts'
import type { DType } from '../../../graph/dtype.ts'
import { domainOf } from '../../../compiler/domain.ts'
import type { ReduceKernel } from '../../../compiler/kernel.ts'
import { cutOf, reductionBox, type Cut, type CutPolicy, type ReductionBox } from '../../../compiler/reduction.ts'
import type { View } from '../../../compiler/view.ts'
import { alone, independent, inOrder, type Generated, type Phase } from '../phase.ts'
import { addresses, addressOf, coordinatesOf, viewsOf, writeBody, writeBodyAt, type BodyOptions } from '../wgsl/body.ts'
import type { Shader } from '../wgsl/shader.ts'
import { operand, sum, u32 } from '../wgsl/text.ts'
import { bitsOf, load, outputOf } from '../wgsl/value.ts'
import { accumulator, finished, partialDType } from './accumulate.ts'
import { eachLane, lanesOf, overElements } from './lanes.ts'

/** Parts are worth a second phase when a part has so many elements, and results alone are too few to occupy a GPU. */
const policy: CutPolicy = { partSize: 1024, enoughUnits: 4096, multiple: 1 }

/** A reduction as loops: what is read at coordinates of the box. */
interface Loops {
  readonly box: ReductionBox
  /** The body's value at these coordinates. */
  readonly valueAt: (shader: Shader, coordinates: readonly string[], options: BodyOptions) => string
}

const last = (values: readonly string[]): string => at(values, values.length - 1)

const loopsOf = ({ body, target }: ReduceKernel): Loops => {
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

const dtypesOf = ({ body, dtype }: ReduceKernel): readonly [from: DType, to: DType] => [
  at(body.instructions, body.instructions.length - 1).dtype,
  dtype,
]

/** Reduces the elements of one result. @returns the partial result's name */
const reduced = (
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

const whole = (kernel: ReduceKernel, loops: Loops): Phase => {
  const [from, to] = dtypesOf(kernel)
  const { lengths } = loops.box.domain
  return overElements(
    kernel.size,
    lanesOf([to]),
    (shader) => {
      const addressOf = addresses(shader)
      return { addressOf, output: outputOf(shader, addressOf({ buffer: kernel.output }), to) }
    },
    (shader, element, { addressOf, output }) => {
      const total = reduced(shader, kernel, loops, element, { addressOf }, (axis) => ['0u', u32(at(lengths, axis))])
      output.store(element, finished(shader, total, from, to))
    },
  )
}

const parts = (kernel: ReduceKernel, loops: Loops, { axis, parts: count, length }: Cut): readonly Phase[] => {
  const [from, to] = dtypesOf(kernel)
  const partial = partialDType(from, to)
  const { lengths } = loops.box.domain
  const scratch = { kind: 'scratch', offset: 0 } as const
  const first = independent(kernel.size * count, (shader, turn) => {
    const { main, fresh, number } = shader
    const addressOf = addresses(shader)
    const out = shader.address(scratch)
    const [result, part, begin, end] = [fresh('result'), fresh('part'), fresh('begin'), fresh('end')]
    const results = number(kernel.size)
    main.add(
      `let ${result} = ${turn} % ${results};`,
      `let ${part} = ${turn} / ${results};`,
      `let ${begin} = ${part} * ${u32(length)};`,
      `let ${end} = min(${begin} + ${u32(length)}, ${u32(at(lengths, axis))});`,
    )
    const bounds = (a: number): readonly [string, string] => (a === axis ? [begin, end] : ['0u', u32(at(lengths, a))])
    const total = reduced(shader, kernel, loops, result, { addressOf }, bounds)
    main.add(`${shader.memory(out)}[${out.name} + ${turn}] = ${bitsOf(shader, total, partial)};`)
  })
  const second = independent(Math.ceil(kernel.size / lanesOf([to])), (shader, turn) => {
    const { main, fresh, number } = shader
    const input = shader.address(scratch)
    const output = outputOf(shader, shader.address({ kind: 'buffer', buffer: kernel.output }), to)
    const results = number(kernel.size)
    eachLane(shader, lanesOf([to]), turn, (element) => {
      const sums = accumulator(shader, kernel.operation, [partial, partial], count)
      const part = fresh('part')
      main.block(`for (var ${part} = 0u; ${part} < ${u32(count)}; ${part}++)`, () => {
        sums.add(load(shader, input, sum([`${part} * ${results}`, operand(element)]), partial))
      })
      output.store(element, finished(shader, sums.total(), from, to))
    })
  })
  return [first, second]
}

/** out[target(i)] = Σ or max of body(i). */
export const reduce = (kernel: ReduceKernel): Generated => {
  const loops = loopsOf(kernel)
  const { domain, kept } = loops.box
  const length = product(
    range(domain.lengths.length)
      .slice(kept)
      .map((a) => at(domain.lengths, a)),
  )
  const cut = cutOf(loops.box, kernel.size, kernel.size * length, policy)
  if (cut.parts === 1) return alone(whole(kernel, loops))
  return inOrder(parts(kernel, loops, cut), 4 * kernel.size * cut.parts, { parts: cut.parts })
}
