/** Fused bodies as WGSL: for one linear index, a variable for each instruction. */
import { at } from '../../../prelude/array.ts'
import type { Body, Instruction, Operand } from '../../../compiler/kernel.ts'
import { nestOf } from '../../../compiler/nest.ts'
import { coalesce, type View } from '../../../compiler/view.ts'
import { literal } from './literal.ts'
import { applied } from './ops.ts'
import { laneType, type Address, type Shader } from './shader.ts'
import { divided, modulo, operand, sum, times, u32 } from './text.ts'
import { load } from './value.ts'

/** The views of a body, in the order of its instructions. */
export const viewsOf = ({ instructions }: Body): readonly View[] =>
  instructions.flatMap((i) => (i.kind === 'load' ? [i.from.view] : i.kind === 'index' ? [i.view] : []))

/** The address of an element of a view whose coordinates are given. */
export const addressOf = (offset: number, strides: readonly number[], coordinates: readonly string[]): string =>
  sum([offset === 0 ? '0u' : u32(offset), ...strides.map((s, a) => times(at(coordinates, a), s))])

/** Splits a linear index into coordinates over these lengths, as variables. */
export const coordinatesOf = (
  { main, fresh }: Shader,
  index: string,
  lengths: readonly number[],
): readonly string[] => {
  if (lengths.length === 0) return []
  const found: string[] = []
  let rest = index
  for (const length of lengths.slice(1).toReversed()) {
    const name = fresh('c')
    main.add(`let ${name} = ${modulo(rest, length)};`)
    found.unshift(name)
    const outer = fresh('q')
    main.add(`let ${outer} = ${divided(rest, length)};`)
    rest = outer
  }
  return [rest, ...found]
}

/** Where the elements of views lie, for one linear index of them all, as expressions. */
export const placesOf = (shader: Shader, size: number, views: readonly View[], index: string): readonly string[] => {
  const nest = nestOf(size, views)
  if (nest !== undefined) {
    const coordinates = coordinatesOf(shader, index, nest.lengths)
    return views.map(({ offset }, v) => addressOf(offset, at(nest.strides, v), coordinates))
  }
  return views.map((view) => {
    const { offset, shape, strides } = coalesce(view)
    return addressOf(offset, strides, coordinatesOf(shader, index, shape))
  })
}

/** How a body's text is completed by the kernel that it is in. */
export interface BodyOptions {
  /** The address of an operand's buffer: one for each buffer. */
  readonly addressOf: (from: { readonly buffer: number }) => Address
  /** The value that stands in the place of a load, where memory does not hold it. */
  readonly instead?: (from: Operand) => string | undefined
}

/** Addresses of buffers, each asked for once. */
export const addresses = ({ address }: Shader): ((from: { readonly buffer: number }) => Address) => {
  const known = new Map<number, Address>()
  return ({ buffer }) => {
    const found = known.get(buffer) ?? address({ kind: 'buffer', buffer })
    known.set(buffer, found)
    return found
  }
}

/**
 * The values of a body's instructions, as names of variables.
 *
 * @param places where the elements of its views lie, in their order
 */
export const writeBodyAt = (
  shader: Shader,
  body: Body,
  places: readonly string[],
  options: BodyOptions,
): readonly string[] => {
  const { main, fresh } = shader
  const divisors = new Set(
    body.instructions.flatMap((i) => (i.kind === 'apply' && i.op === 'div' ? i.inputs.slice(1) : [])),
  )
  let next = 0
  const values: string[] = []
  const valueOf = (i: Instruction): string => {
    switch (i.kind) {
      case 'load': {
        const place = at(places, next++)
        return options.instead?.(i.from) ?? load(shader, options.addressOf(i.from), place, i.from.dtype)
      }
      case 'literal':
        return literal(shader, i.value, i.dtype, divisors.has(values.length))
      case 'index':
        return applied('cast', { shader, x: operand(at(places, next++)), y: '', z: '', from: 'u32', to: i.dtype })
      case 'apply': {
        const [x = '', y = '', z = ''] = i.inputs.map((n) => at(values, n))
        const from = at(body.instructions, i.inputs[0] ?? 0).dtype
        return applied(i.op, { shader, x, y, z, from, to: i.dtype })
      }
    }
  }
  for (const instruction of body.instructions) {
    const value = valueOf(instruction)
    const name = fresh('v')
    main.add(`let ${name}: ${laneType(instruction.dtype)} = ${value};`)
    values.push(name)
  }
  return values
}

/** The values of a body's instructions for one linear index, as names of variables. @param index a name or a number */
export const writeBody = (shader: Shader, body: Body, index: string, options: BodyOptions): readonly string[] =>
  writeBodyAt(shader, body, placesOf(shader, body.size, viewsOf(body), index), options)
