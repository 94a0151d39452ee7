/** What happens to the sums of a tile: rounded, ended by the epilogue, stored; or kept as parts of sums that a second phase puts together. */
import { at } from '../../../prelude/array.ts'
import type { Operand } from '../../../compiler/kernel.ts'
import { independent, type Phase } from '../phase.ts'
import { addresses, coordinatesOf, writeBody } from '../wgsl/body.ts'
import { rounded } from '../wgsl/ops.ts'
import type { Address, Shader } from '../wgsl/shader.ts'
import { operand, sum, u32 } from '../wgsl/text.ts'
import { bitsOf, storeWord } from '../wgsl/value.ts'
import { extentsOf, type TileContraction } from './axes.ts'
import { locate, named, type Contracting } from './walk.ts'

/** Finds the address of a buffer, once. */
export type AddressOf = (from: { readonly buffer: number }) => Address

/** A sum behind the epilogue, in the output's dtype. @param element the number of the output's element */
const finishedAt = (
  shader: Shader,
  kernel: Contracting,
  sumOf: string,
  element: string,
  addressOf: AddressOf,
): string => {
  const { epilogue, output, dtype } = kernel
  const value = named(shader, 'sum', rounded(shader, sumOf, dtype))
  if (epilogue === undefined) return value
  const instead = (from: Operand): string | undefined => (from.buffer === output ? value : undefined)
  const values = writeBody(shader, epilogue, element, { addressOf, instead })
  return at(values, values.length - 1)
}

/**
 * Stores neighbouring sums of one row.
 *
 * @param element the number of the first one's element of the output
 */
export const storeSums = (
  shader: Shader,
  kernel: Contracting,
  sums: readonly string[],
  element: string,
  addressOf: AddressOf,
): void => {
  const address = addressOf({ buffer: kernel.output })
  const each = kernel.dtype === 'f16' ? 2 : 1
  for (let i = 0; i < sums.length; i += each) {
    const values = sums.slice(i, i + each).map((own, k) => {
      const place = named(shader, 'o', sum([element, i + k === 0 ? '0u' : u32(i + k)]))
      return finishedAt(shader, kernel, own, place, addressOf)
    })
    const first = sum([element, i === 0 ? '0u' : u32(i)])
    storeWord(shader, address, each === 1 ? operand(first) : `(${operand(first)} >> 1u)`, values, kernel.dtype)
  }
}

/** The scratch memory in which parts of sums lie: by part, then batch, row and column. */
export const partsPointer = { kind: 'scratch', offset: 0 } as const

/** Stores a part of a sum. @param index the number of its result, by batch, row and column */
export const storePart = (
  shader: Shader,
  parts: Address,
  part: string,
  results: number,
  index: string,
  value: string,
): void => {
  shader.main.add(
    `${shader.memory(parts)}[${parts.name} + ${operand(part)} * ${u32(results)} + ${index}] = ${bitsOf(shader, value, 'f32')};`,
  )
}

/** Puts parts together, and ends. */
export const joinParts = (kernel: Contracting, contraction: TileContraction, parts: number): Phase => {
  const { batch, rows, columns } = extentsOf(contraction)
  const results = batch * rows * columns
  const each = kernel.dtype === 'f16' ? 2 : 1
  return independent(results / each, (shader, turn) => {
    const { main, fresh } = shader
    const addressOf = addresses(shader)
    const memory = shader.address(partsPointer)
    const index = named(shader, 'index', each === 1 ? turn : `${turn} * 2u`)
    const sums = Array.from({ length: each }, () => named(shader, 'total', '0.0f', 'var'))
    const part = fresh('part')
    main.block(`for (var ${part} = 0u; ${part} < ${u32(parts)}; ${part}++)`, () => {
      sums.forEach((own, i) => {
        const place = sum([`${part} * ${u32(results)}`, index, i === 0 ? '0u' : u32(i)])
        main.add(`${own} += bitcast<f32>(${shader.memory(memory)}[${memory.name} + ${place}]);`)
      })
    })
    const [b = '0u', m = '0u', n = '0u'] = coordinatesOf(shader, index, [batch, rows, columns])
    const place = [
      locate(shader, contraction.batch, b),
      locate(shader, contraction.rows, m),
      locate(shader, contraction.columns, n),
    ]
    const element = named(shader, 'element', sum([u32(contraction.first.out), ...place.map(({ out }) => out)]))
    storeSums(shader, kernel, sums, element, addressOf)
  })
}
