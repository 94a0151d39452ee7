/**
 * Tiles of results that a workgroup computes together. It brings a strip of rows and one of columns into memory that it shares, some terms at a
 * time, and each invocation sums a smaller tile of products in variables: from memory comes each number once for all results of the tile that need it.
 */
import { range } from '../../../prelude/array.ts'
import type { Phase } from '../phase.ts'
import { addresses } from '../wgsl/body.ts'
import { writeShader, type Shader } from '../wgsl/shader.ts'
import { operand, sum, u32 } from '../wgsl/text.ts'
import { extentsOf, readsAcross, readsColumns, type TileContraction } from './axes.ts'
import { partsPointer, storePart, storeSums } from './results.ts'
import { insideTest, locate, named, operandsOf, type Contracting, type Located } from './walk.ts'

/** The sizes of tiles; all are multiples of 4 but the depth. */
export interface TileShape {
  /** Rows and columns of a workgroup. */
  readonly rows: number
  readonly columns: number
  /** Terms that are brought at a time. */
  readonly depth: number
  /** Rows and columns of an invocation. */
  readonly eachRows: number
  readonly eachColumns: number
}

/** Invocations of a workgroup. */
export const invocationsOf = ({ rows, columns, eachRows, eachColumns }: TileShape): number =>
  (rows / eachRows) * (columns / eachColumns)

/** Vectors of a strip for one term, and one more, so that neighbouring terms begin in different banks of the shared memory. */
const pitchOf = (length: number): number => length / 4 + 1

/** Bytes that a workgroup shares. */
export const sharedBytes = ({ rows, columns, depth }: TileShape): number =>
  16 * depth * (pitchOf(rows) + pitchOf(columns))

const components = ['x', 'y', 'z', 'w'] as const

/** What is being written: a kernel, its contraction, and its tiles. */
interface Tiling {
  readonly kernel: Contracting
  readonly contraction: TileContraction
  readonly shape: TileShape
  readonly parts: number
}

/** A strip of one operand that a workgroup shares. */
interface Strip {
  readonly name: 'xs' | 'ys'
  /** Rows or columns of it. */
  readonly length: number
  /** Whether neighbouring invocations bring neighbours of it, rather than neighbouring terms. */
  readonly across: boolean
  /** Names of the first elements of four neighbours of it, and their pixels. @param first the number of the first one, a name */
  readonly four: (first: string) => readonly { readonly at: string; readonly pixels: Located['pixels'] }[]
  /** The value at a sum of addresses. */
  readonly read: (element: string) => string
  readonly ofTerm: (term: Located) => string
}

/** One vector of four that an invocation brings for each strip of terms. */
interface Slot {
  /** Its term among those of the strip, and its place in it: names. */
  readonly term: string
  readonly place: string
  readonly four: ReturnType<Strip['four']>
  /** What must hold for it to be there; empty where it always is. */
  readonly exists: string
}

const slotsOf = (shader: Shader, { shape }: Tiling, strip: Strip): readonly Slot[] => {
  const invocations = invocationsOf(shape)
  const vectors = strip.length / 4
  const total = shape.depth * vectors
  const sameFour = strip.across && invocations % vectors === 0
  let four: Slot['four'] | undefined
  return range(Math.ceil(total / invocations)).map((i) => {
    const slot = named(shader, 'slot', i === 0 ? 'lane' : `lane + ${u32(i * invocations)}`)
    const [outer, inner] = [
      `${slot} / ${u32(strip.across ? vectors : shape.depth)}`,
      `${slot} % ${u32(strip.across ? vectors : shape.depth)}`,
    ]
    const term = named(shader, 'term', strip.across ? outer : inner)
    const place = named(shader, 'place', strip.across ? inner : outer)
    if (four === undefined || !sameFour) four = strip.four(named(shader, 'first', `${place} * 4u`))
    return { term, place, four, exists: (i + 1) * invocations > total ? `${slot} < ${u32(total)}` : '' }
  })
}

/** Brings a vector from memory. @param from where the strip of terms begins; @param end the term behind the last */
const bring = (
  shader: Shader,
  { contraction }: Tiling,
  strip: Strip,
  { term, four, exists }: Slot,
  from: string,
  end: string,
): string => {
  const { main } = shader
  const value = named(shader, 'brought', 'vec4f()', 'var')
  const k = named(shader, 'k', `${from} + ${term}`)
  main.block(`if (${[exists, `${k} < ${end}`].filter((t) => t !== '').join(' && ')})`, () => {
    const found = locate(shader, contraction.depth, k)
    const ofTerm = named(shader, 'of_term', strip.ofTerm(found))
    four.forEach(({ at, pixels }, c) => {
      const set = `${value}.${components[c] ?? ''} = ${strip.read(sum([at, ofTerm]))};`
      const test = strip.name === 'xs' ? insideTest(contraction, pixels, found.pixels) : ''
      main.add(test === '' ? set : `if (${test}) { ${set} }`)
    })
  })
  return value
}

/** Sums the products of a strip of terms. */
const multiply = (
  shader: Shader,
  { shape }: Tiling,
  sums: readonly (readonly string[])[],
  tileRow: string,
  tileColumn: string,
): void => {
  const { main, fresh } = shader
  const kk = fresh('kk')
  main.block(`for (var ${kk} = 0u; ${kk} < ${u32(shape.depth)}; ${kk}++)`, () => {
    const vectors = (name: string, length: number, each: number, own: string): readonly string[] =>
      range(each / 4).map((v) =>
        named(
          shader,
          'v',
          `${name}[${sum([`${kk} * ${u32(pitchOf(length))}`, `${own} * ${u32(each / 4)}`, v === 0 ? '0u' : u32(v)])}]`,
        ),
      )
    const left = vectors('xs', shape.rows, shape.eachRows, tileRow)
    const right = vectors('ys', shape.columns, shape.eachColumns, tileColumn)
    sums.forEach((row, i) => {
      const x = `${left[Math.floor(i / 4)] ?? ''}.${components[i % 4] ?? ''}`
      row.forEach((own, j) => {
        main.add(`${own} += ${x} * ${right[j] ?? ''};`)
      })
    })
  })
}

/** Where a workgroup's tile lies. */
interface Corner {
  readonly m0: string
  readonly n0: string
  readonly b: string
  readonly part: string
}

const store = (
  shader: Shader,
  { kernel, contraction, shape, parts }: Tiling,
  { m0, n0, b, part }: Corner,
  sums: readonly (readonly string[])[],
  addressOf: ReturnType<typeof addresses>,
): void => {
  const { main, fresh } = shader
  const { batch, rows, columns } = extentsOf(contraction)
  const memory = parts === 1 ? undefined : shader.address(partsPointer)
  const ofBatch = locate(shader, contraction.batch, b)
  const [i, own] = [fresh('i'), fresh('own')]
  const vectors = shape.eachColumns / 4
  main.add(`var ${own} = array<vec4f, ${shape.eachRows * vectors}>(${sums.flat().join(', ')});`)
  main.block(`for (var ${i} = 0u; ${i} < ${u32(shape.eachRows)}; ${i}++)`, () => {
    const m = named(shader, 'm', `${m0} + ${i}`)
    main.block(`if (${m} < ${u32(rows)})`, () => {
      const ofRow = locate(shader, contraction.rows, m)
      const each = kernel.dtype === 'f16' ? 2 : 1
      for (let j = 0; j < shape.eachColumns; j += each)
        main.block(`if (${n0} + ${u32(j)} < ${u32(columns)})`, () => {
          const n = named(shader, 'n', `${n0} + ${u32(j)}`)
          const values = range(each).map(
            (k) => `${own}[${i} * ${u32(vectors)} + ${u32(Math.floor((j + k) / 4))}].${components[(j + k) % 4] ?? ''}`,
          )
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
  })
}

const write = (shader: Shader, tiling: Tiling): void => {
  const { kernel, contraction, shape, parts } = tiling
  const { main, declare, fresh } = shader
  const { batch, rows, columns, depth } = extentsOf(contraction)
  const addressOf = addresses(shader)
  const read = operandsOf(shader, kernel, addressOf)
  declare(`var<workgroup> xs: array<vec4f, ${shape.depth * pitchOf(shape.rows)}>;`)
  declare(`var<workgroup> ys: array<vec4f, ${shape.depth * pitchOf(shape.columns)}>;`)
  const [tilesM, tilesN] = [Math.ceil(rows / shape.rows), Math.ceil(columns / shape.columns)]
  const firstColumn = named(shader, 'first_column', `(group % ${u32(tilesN)}) * ${u32(shape.columns)}`)
  const firstRow = named(shader, 'first_row', `((group / ${u32(tilesN)}) % ${u32(tilesM)}) * ${u32(shape.rows)}`)
  const rest = named(shader, 'rest', `group / ${u32(tilesN * tilesM)}`)
  const b = named(shader, 'b', `${rest} % ${u32(batch)}`)
  const part = named(shader, 'part', `${rest} / ${u32(batch)}`)
  const ofBatch = locate(shader, contraction.batch, b)
  const across = shape.columns / shape.eachColumns
  const tileColumn = named(shader, 'tile_column', `lane % ${u32(across)}`)
  const tileRow = named(shader, 'tile_row', `lane / ${u32(across)}`)
  // Rows and columns behind the last are computed as the last, and not stored.
  const strips: readonly Strip[] = [
    {
      name: 'xs',
      length: shape.rows,
      across: readsAcross(contraction),
      four: (first) =>
        range(4).map((r) => {
          const m = named(shader, 'm', `min(${firstRow} + ${first} + ${u32(r)}, ${u32(rows - 1)})`)
          const { x, pixels } = locate(shader, contraction.rows, m)
          return { at: named(shader, 'x', sum([u32(contraction.first.x), ofBatch.x, x])), pixels }
        }),
      read: read.x,
      ofTerm: ({ x }) => x,
    },
    {
      name: 'ys',
      length: shape.columns,
      across: readsColumns(contraction),
      four: (first) =>
        range(4).map((c) => {
          const n = named(shader, 'n', `min(${firstColumn} + ${first} + ${u32(c)}, ${u32(columns - 1)})`)
          const { y } = locate(shader, contraction.columns, n)
          return {
            at: named(shader, 'y', sum([u32(contraction.first.y), ofBatch.y, y])),
            pixels: [undefined, undefined],
          }
        }),
      read: read.y,
      ofTerm: ({ y }) => y,
    },
  ]
  const slots = strips.map((strip) => slotsOf(shader, tiling, strip))
  const sums = range(shape.eachRows).map(() =>
    range(shape.eachColumns / 4).map(() => named(shader, 'sums', 'vec4f()', 'var')),
  )
  const each = Math.ceil(Math.ceil(depth / parts) / shape.depth) * shape.depth
  const [begin, end] =
    parts === 1
      ? ['0u', u32(depth)]
      : [
          named(shader, 'begin', `${part} * ${u32(each)}`),
          named(shader, 'end', `min((${part} + 1u) * ${u32(each)}, ${u32(depth)})`),
        ]
  const from = fresh('from')
  main.block(`for (var ${from} = ${begin}; ${from} < ${end}; ${from} += ${u32(shape.depth)})`, () => {
    const brought = strips.map(
      (strip, s) => slots[s]?.map((slot) => bring(shader, tiling, strip, slot, from, end)) ?? [],
    )
    main.add('workgroupBarrier();')
    strips.forEach(({ name, length }, s) => {
      slots[s]?.forEach(({ term, place, exists }, i) => {
        const set = `${name}[${term} * ${u32(pitchOf(length))} + ${place}] = ${brought[s]?.[i] ?? ''};`
        main.add(exists === '' ? set : `if (${exists}) { ${set} }`)
      })
    })
    main.add('workgroupBarrier();')
    multiply(shader, tiling, sums, tileRow, tileColumn)
  })
  const m0 = named(shader, 'm', `${firstRow} + ${tileRow} * ${u32(shape.eachRows)}`)
  const n0 = named(shader, 'n', `${firstColumn} + ${tileColumn} * ${u32(shape.eachColumns)}`)
  store(shader, tiling, { m0, n0, b, part }, sums, addressOf)
}

/** The phase that sums in tiles of this shape; its results are ended, or parts. */
export const shared = (kernel: Contracting, contraction: TileContraction, shape: TileShape, parts: number): Phase => {
  const { batch, rows, columns } = extentsOf(contraction)
  const tiles = Math.ceil(rows / shape.rows) * Math.ceil(columns / shape.columns)
  return {
    written: writeShader(invocationsOf(shape), (shader) => {
      write(shader, { kernel, contraction, shape, parts })
    }),
    groups: batch * tiles * parts,
  }
}
