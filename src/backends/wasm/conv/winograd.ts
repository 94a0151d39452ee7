/**
 * 3×3 convolutions by Winograd's minimal filtering (Lavin & Gray 2016): tiles of the image and the filter are transformed, the products over
 * channels become one matrix product for each of a tile's points, and the sums are transformed back. F(4×4, 3×3) needs 36 products for 16
 * pixels, where the sum itself takes 144. docs/decisions/winograd.md has what it brings and what it costs.
 *
 * All three passes of training are such products (winogradProducts.ts): the input's gradient is a convolution with the turned filter, and the
 * filter's gradient the transposed algorithm.
 */
import { at, permute, product } from '../../../prelude/array.ts'
import { E } from '../../../prelude/fp.ts'
import type { ConvKernel } from '../../../compiler/kernel.ts'
import { contiguous, type View } from '../../../compiler/view.ts'
import { contraction } from '../gemm/gemm.ts'
import { epilogueField, epilogueNumbers, epilogueOf, structureOfEpilogue, type Epilogue } from '../gemm/gemmEpilogue.ts'
import { block, inBuffer, inScratch, table, words } from '../emit/block.ts'
import type { Unsupported } from '../emit/unsupported.ts'
import { codeLater, phase, type Generated, type Machine, type Parameter, type Phase } from '../emit/kernelCode.ts'
import { lanesAtOnce, tileBytes, type Form, type ScatteringForm } from './winogradForm.ts'
import {
  pointsAlong,
  productsOf,
  type Outputs,
  type Part,
  type Products,
  type Tiled,
} from '../../../compiler/contraction/winogradProducts.ts'
import { inBlocks } from './winogradBlocks.ts'
import { lowestOf, offsetsOf, rowsOf, scatteredRecords } from './winogradTiles.ts'

/** Its functions are written by `writeGathering`. */
export const gatheringCode = codeLater<Form>()('winograd gathering', () =>
  block(words('pixels', 'points', 'zeros', 'records')),
)

/** Its functions are written by `writeScattering`. */
export const scatteringCode = codeLater<ScatteringForm>()('winograd scattering', ({ epilogue }) =>
  block({ ...words('points', 'pixels', 'records'), epilogue: epilogueField(epilogue) }),
)

/** Bytes of points that are worth a thread's attention. */
const unitsOfWork = 65_536

const grainOf = (form: Form): number => Math.max(1, Math.floor(unitsOfWork / tileBytes(form)))

/** Transformed tiles in scratch memory, as an operand of the products. */
interface Points {
  readonly form: Form
  readonly start: Parameter
  readonly bytes: number
  /** Tiles and channels, and how many numbers lie from one to the next of them. */
  readonly count: { readonly [P in Part]: number }
  readonly step: { readonly [P in Part]: number }
  /** Which of them is contracted, and which is left. */
  readonly depth: Part
  readonly left: Part
}

const pointsOf = (
  { operand: { view }, axes, grid, transform, depth }: Tiled,
  outputs: Outputs,
  fma: boolean,
  offset: number,
): Points => {
  const channels = at(view.shape, axes[3])
  const form: Form = { outputs, transform, channels, fma }
  const tiles = at(view.shape, axes[0]) * grid.tiles[0] * grid.tiles[1]
  return {
    form,
    start: inScratch(offset),
    bytes: tiles * tileBytes(form),
    count: { tiles, channels },
    step: { tiles: tileBytes(form) / 4, channels: 1 },
    depth,
    left: depth === 'tiles' ? 'channels' : 'tiles',
  }
}

/** The phase that makes the points of an operand. */
const gathered = ({ operand, axes, grid }: Tiled, { form, start, count }: Points): Phase => {
  const { view, buffer } = operand
  const tileAxes = axes.slice(0, 3)
  const images: View = { offset: 0, shape: permute(view.shape, tileAxes), strides: permute(view.strides, tileAxes) }
  return phase(
    gatheringCode,
    form,
    {
      pixels: inBuffer(buffer, 4 * (view.offset + lowestOf(images))),
      points: start,
      zeros: table(new Float32Array(form.channels)),
      records: table(offsetsOf(images, grid)),
    },
    { units: count.tiles, grain: grainOf(form) },
  )
}

/** The phase that makes the output of sums, and ends it with the epilogue. */
const scattered = (
  { shape, output }: ConvKernel,
  { grid }: Products,
  form: Form,
  sums: Parameter,
  epilogue: Epilogue | undefined,
): Phase => {
  const [pixels, channels] = [grid.side ** 2, at(shape, 3)]
  const images = contiguous(shape.slice(0, 3))
  const places = offsetsOf({ ...images, strides: images.strides.map((s) => s * channels) }, grid)
  const records = scatteredRecords(places, pixels)
  const ending =
    epilogue && epilogueNumbers(epilogue, [{ batch: 0, column: 0 }], 0, rowsOf(records, pixels, 4 * channels))
  return phase(
    scatteringCode,
    { ...form, epilogue: epilogue && structureOfEpilogue(epilogue) },
    { points: sums, pixels: inBuffer(output), records: table(records), epilogue: ending ?? [] },
    { units: places.length / pixels, grain: grainOf(form) },
  )
}

/** Products of a matrix that take as long as a transform for each number that it writes, where it does not stay in a cache (bench/wasm-gemm). */
const productsPerMove = 25

/** Whether it is faster than the sums. What the products pack is moved once more. */
const pays = ({ flops }: ConvKernel, products: number, x: Points, y: Points, sumBytes: number): boolean =>
  2 * (products + (productsPerMove * (x.bytes + 2 * y.bytes + sumBytes)) / 4) < flops

/** Bytes of points and sums that stay in a core's own cache, and of the filter's points that each block reads again (docs/decisions/winograd.md). */
const [cachedBlock, cachedFilter] = [224 * 1024, 640 * 1024]

/** Blocks that occupy all threads to the end. */
const fewBlocks = 32

/** Tiles of a block that stay in the cache from one transform to the other; undefined where all tiles are better transformed before. */
const blockOf = (x: Points, y: Points, sums: Form): number | undefined => {
  const tiles = Math.floor(cachedBlock / (tileBytes(x.form) + tileBytes(sums)))
  const pays = x.left === 'tiles' && y.bytes <= cachedFilter && x.count.tiles >= fewBlocks * tiles
  return pays ? tiles : undefined
}

/**
 * The code by the algorithm F(m, 3) of so many outputs, or why it has none; undefined where the sums are better.
 *
 * @param always whether it is used where it does not pay as well
 */
export const winogradWith = (
  kernel: ConvKernel,
  machine: Machine,
  outputs: Outputs,
  always = false,
): E.Either<Unsupported, Generated> | undefined => {
  const products = productsOf(kernel, outputs, lanesAtOnce)
  if (products === undefined) return undefined
  const { shape, output, epilogue: body } = kernel
  const x = pointsOf(products.x, outputs, machine.fma, 0)
  const y = pointsOf(products.y, outputs, machine.fma, x.bytes)
  const [rows, channels, depth] = [x.count[x.left], at(shape, 3), x.count[x.depth]]
  const form: Form = { outputs, transform: products.transform, channels, fma: machine.fma }
  const [points, sumBytes] = [pointsAlong(outputs) ** 2, rows * tileBytes(form)]
  if (!always && !pays(kernel, points * rows * channels * depth, x, y, sumBytes)) return undefined
  const ends =
    body === undefined ? E.right(undefined) : epilogueOf(body, output, [1, product(shape.slice(0, 3)), channels])
  if (E.isLeft(ends)) return ends
  const epilogue = ends.right
  const sums = inScratch(x.bytes + y.bytes)
  const block = blockOf(x, y, form)
  const { phases, scratch, choices, rowUnits, rowsOfUnit, columnUnits } = contraction(
    {
      first: { x: 0, y: 0, out: 0 },
      isWhole: false,
      readsOnce: block === undefined,
      batch: [{ length: points, x: x.count.channels, y: y.count.channels, out: channels }],
      rows: [{ length: rows, x: x.step[x.left], y: 0, out: tileBytes(form) / 4 }],
      columns: [{ length: channels, x: 0, y: y.step[y.left], out: 1 }],
      depth: [{ length: depth, x: x.step[x.depth], y: y.step[y.depth], out: 0 }],
    },
    { x: x.start, y: y.start, out: sums },
    machine,
    undefined,
    x.bytes + y.bytes + sumBytes,
    block,
  )
  const [gatherX, gatherY] = [gathered(products.x, x), gathered(products.y, y)]
  const scatter = scattered(kernel, products, form, sums, epilogue)
  const multiply = phases.at(-1)
  const chosen = { winograd: `F(${outputs}×${outputs}, 3×3)`, ...choices }
  if (block === undefined || multiply === undefined)
    return E.right({ phases: [gatherX, gatherY, ...phases, scatter], scratch, choices: chosen })
  const units = { units: rowUnits, rows: rowsOfUnit, products: points * columnUnits }
  return E.right({
    phases: [gatherY, ...phases.slice(0, -1), inBlocks(gatherX, multiply, scatter, units)],
    scratch,
    choices: { ...chosen, 'tiles of a block': rowsOfUnit },
  })
}

/** The code where it pays, or why it has none; undefined where convolutions are to be summed as they stand. */
export const winograd = (kernel: ConvKernel, machine: Machine): E.Either<Unsupported, Generated> | undefined =>
  machine.winograd === undefined ? undefined : winogradWith(kernel, machine, machine.winograd)
