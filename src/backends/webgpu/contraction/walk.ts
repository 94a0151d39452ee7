/** The text that takes linear indices of a contraction apart, and reads its operands. */
import { at } from '../../../prelude/array.ts'
import type { DType } from '../../../graph/dtype.ts'
import type { ConvKernel, GemmKernel, Operand } from '../../../compiler/kernel.ts'
import { coordinatesOf } from '../wgsl/body.ts'
import type { Address, Shader } from '../wgsl/shader.ts'
import { operand, sum, times, u32 } from '../wgsl/text.ts'
import { load } from '../wgsl/value.ts'
import type { TileAxis, TileContraction } from './axes.ts'

/** A kernel that sums products. */
export type Contracting = GemmKernel | ConvKernel

/** The right operand of a kernel. */
export const rightOf = (kernel: Contracting): Operand => (kernel.kind === 'gemm' ? kernel.y : kernel.filter)

/** Where an index lies in an array, as an expression; and in which pixel, of the sides whose borders are tested. */
export interface Located {
  readonly x: string
  readonly y: string
  readonly out: string
  /** Steps along each side, as expressions of i32. */
  readonly pixels: readonly [string | undefined, string | undefined]
}

/** Takes an index apart. @param index a name */
export const locate = (shader: Shader, axes: readonly TileAxis[], index: string): Located => {
  const coordinates = coordinatesOf(
    shader,
    index,
    axes.map((a) => a.length),
  )
  const along = (array: 'x' | 'y' | 'out'): string => sum(axes.map((axis, a) => times(at(coordinates, a), axis[array])))
  const pixel = (side: 0 | 1): string | undefined => {
    const a = axes.findIndex((axis) => axis.pixel?.side === side)
    const step = axes[a]?.pixel?.step
    return step === undefined ? undefined : `i32(${operand(at(coordinates, a))}) * ${step}i`
  }
  return { x: along('x'), y: along('y'), out: along('out'), pixels: [pixel(0), pixel(1)] }
}

/** An expression as a variable, unless it is a name or a number. */
export const named = (
  { main, fresh }: Shader,
  name: string,
  expression: string,
  type: 'let' | 'var' = 'let',
): string => {
  if (type === 'let' && /^\w+$/.test(expression)) return expression
  const variable = fresh(name)
  main.add(`${type} ${variable} = ${expression};`)
  return variable
}

/** The test that a row and a term meet inside the image; empty where they always do. */
export const insideTest = (
  { borders }: TileContraction,
  row: readonly (string | undefined)[],
  term: readonly (string | undefined)[],
): string =>
  borders
    .flatMap((border, side) => {
      if (border === undefined) return []
      const steps = [row[side], term[side]].flatMap((s) => s ?? [])
      // A pixel before the first one is very far behind the last, as a number without a sign.
      return [`u32(${[`${border.base}i`, ...steps].join(' + ')}) < ${u32(border.limit)}`]
    })
    .join(' && ')

/** The operands of a contraction in a shader. */
export interface Operands {
  readonly x: (element: string) => string
  readonly y: (element: string) => string
}

/** Reads elements of the operands as f32. */
export const operandsOf = (
  shader: Shader,
  kernel: Contracting,
  address: (from: { readonly buffer: number }) => Address,
): Operands => {
  const right = rightOf(kernel)
  const [x, y] = [address(kernel.x), address(right)]
  return {
    x: (element) => load(shader, x, element, kernel.x.dtype),
    y: (element) => load(shader, y, element, right.dtype),
  }
}

/** Dtypes that tiles can be made of. */
export const isTileDType = (dtype: DType): boolean => dtype === 'f32' || dtype === 'f16'
