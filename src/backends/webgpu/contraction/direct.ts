/**
 * Tiles of 4×4 results in the variables of one invocation, straight from memory: no invocation waits for another. It is the form of adapters where
 * waiting costs more than reading, as those that are programs, and of products that are too small for workgroups to share.
 */
import { range } from '../../../prelude/array.ts'
import { independent, type Phase } from '../phase.ts'
import { addresses } from '../wgsl/body.ts'
import type { Shader } from '../wgsl/shader.ts'
import { operand, sum, times, u32 } from '../wgsl/text.ts'
import { extentsOf, type TileContraction } from './axes.ts'
import { partsPointer, storePart, storeSums } from './results.ts'
import { insideTest, locate, named, operandsOf, type Contracting, type Located } from './walk.ts'

/** Rows and columns of a tile. */
const side = 4

const components = ['x', 'y', 'z', 'w']

/** A loop over each axis of the depth, of which the outermost may be cut into parts. */
const depthLoops = (
  shader: Shader,
  { depth }: TileContraction,
  bounds: readonly [from: string, to: string] | undefined,
  inside: (term: Located) => void,
): void => {
  const { main, fresh } = shader
  const nested = (axis: number, x: readonly string[], y: readonly string[], pixels: Located['pixels']): void => {
    const own = depth[axis]
    if (own === undefined) {
      inside({ x: sum(x), y: sum(y), out: '0u', pixels })
      return
    }
    const k = fresh('k')
    const [from, to] = (axis === 0 ? bounds : undefined) ?? ['0u', u32(own.length)]
    main.block(`for (var ${k} = ${from}; ${k} < ${to}; ${k}++)`, () => {
      const step = own.pixel === undefined ? undefined : `i32(${k}) * ${own.pixel.step}i`
      const found: Located['pixels'] = [
        own.pixel?.side === 0 ? step : pixels[0],
        own.pixel?.side === 1 ? step : pixels[1],
      ]
      nested(axis + 1, [...x, times(k, own.x)], [...y, times(k, own.y)], found)
    })
  }
  nested(0, [], [], [undefined, undefined])
}

/** The text of one invocation's tile. */
const tile = (shader: Shader, kernel: Contracting, contraction: TileContraction, parts: number, turn: string): void => {
  const { main } = shader
  const { batch, rows, columns } = extentsOf(contraction)
  const addressOf = addresses(shader)
  const read = operandsOf(shader, kernel, addressOf)
  const [tilesM, tilesN] = [Math.ceil(rows / side), Math.ceil(columns / side)]
  const n0 = named(shader, 'n', `(${turn} % ${u32(tilesN)}) * ${u32(side)}`)
  const m0 = named(shader, 'm', `((${turn} / ${u32(tilesN)}) % ${u32(tilesM)}) * ${u32(side)}`)
  const rest = named(shader, 'rest', `${turn} / ${u32(tilesN * tilesM)}`)
  const b = named(shader, 'b', `${rest} % ${u32(batch)}`)
  const part = named(shader, 'part', `${rest} / ${u32(batch)}`)
  const ofBatch = locate(shader, contraction.batch, b)
  // Rows and columns behind the last are computed as the last, and not stored.
  const rowsAt = range(side).map((i) => {
    const m = named(shader, 'row', `min(${m0} + ${u32(i)}, ${u32(rows - 1)})`)
    const { x, pixels, out } = locate(shader, contraction.rows, m)
    return { x: named(shader, 'x', sum([u32(contraction.first.x), ofBatch.x, x])), pixels, out }
  })
  const columnsAt = range(side).map((j) => {
    const n = named(shader, 'column', `min(${n0} + ${u32(j)}, ${u32(columns - 1)})`)
    const { y, out } = locate(shader, contraction.columns, n)
    return { y: named(shader, 'y', sum([u32(contraction.first.y), ofBatch.y, y])), out }
  })
  const sums = range(side).map(() => named(shader, 'sums', 'vec4f()', 'var'))
  const outermost = contraction.depth[0]?.length ?? 1
  const each = Math.ceil(outermost / parts)
  const bounds: readonly [string, string] | undefined =
    parts === 1 ? undefined : [`${part} * ${u32(each)}`, `min((${part} + 1u) * ${u32(each)}, ${u32(outermost)})`]
  depthLoops(shader, contraction, bounds, (term) => {
    const right = columnsAt.map(({ y }) => read.y(sum([y, term.y])))
    const ys = named(shader, 'ys', `vec4f(${right.join(', ')})`)
    rowsAt.forEach(({ x, pixels }, i) => {
      const test = insideTest(contraction, pixels, term.pixels)
      const add = `${sums[i] ?? ''} += ${read.x(sum([x, term.x]))} * ${ys};`
      main.add(test === '' ? add : `if (${test}) { ${add} }`)
    })
  })
  store(shader, { kernel, contraction, parts, part, b, m0, n0, sums })
}

/** A tile when its sums are done. */
interface Done {
  readonly kernel: Contracting
  readonly contraction: TileContraction
  readonly parts: number
  readonly part: string
  readonly b: string
  readonly m0: string
  readonly n0: string
  readonly sums: readonly string[]
}

const store = (shader: Shader, { kernel, contraction, parts, part, b, m0, n0, sums }: Done): void => {
  const { main, fresh } = shader
  const { batch, rows, columns } = extentsOf(contraction)
  const addressOf = addresses(shader)
  const memory = parts === 1 ? undefined : shader.address(partsPointer)
  const ofBatch = locate(shader, contraction.batch, b)
  const [i, own] = [fresh('i'), fresh('own')]
  main.add(`var ${own} = array<vec4f, 4>(${sums.join(', ')});`)
  main.block(`for (var ${i} = 0u; ${i} < min(${u32(side)}, ${u32(rows)} - ${m0}); ${i}++)`, () => {
    const m = named(shader, 'm', `${m0} + ${i}`)
    const ofRow = locate(shader, contraction.rows, m)
    const each = kernel.dtype === 'f16' ? 2 : 1
    for (let j = 0; j < side; j += each)
      main.block(`if (${n0} + ${u32(j)} < ${u32(columns)})`, () => {
        const n = named(shader, 'n', `${n0} + ${u32(j)}`)
        const values = range(each).map((k) => `${own}[${i}].${components[j + k] ?? ''}`)
        if (memory !== undefined) {
          values.forEach((value, k) => {
            const index = sum([`(${b} * ${u32(rows)} + ${m}) * ${u32(columns)}`, n, k === 0 ? '0u' : u32(k)])
            storePart(shader, memory, part, batch * rows * columns, index, value)
          })
          return
        }
        const { out } = locate(shader, contraction.columns, n)
        const element = named(
          shader,
          'element',
          sum([u32(contraction.first.out), ofBatch.out, ofRow.out, operand(out)]),
        )
        storeSums(shader, kernel, values, element, addressOf)
      })
  })
}

/** The phase that sums; its results are ended, or parts. */
export const direct = (kernel: Contracting, contraction: TileContraction, parts: number): Phase => {
  const { batch, rows, columns } = extentsOf(contraction)
  const tiles = Math.ceil(rows / side) * Math.ceil(columns / side)
  return independent(batch * tiles * parts, (shader, turn) => {
    tile(shader, kernel, contraction, parts, turn)
  })
}
