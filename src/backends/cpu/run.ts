/** Kernels made ready to run: one exhaustive switch over the kernel IR. */
import { isWrapping, roundTo, type DType, type TypedArray } from '../../graph/dtype.ts'
import { addresses } from '../../compiler/addresses.ts'
import { epilogueKernel } from '../../compiler/epilogue.ts'
import { windowOf } from '../../compiler/place.ts'
import {
  stepsOf,
  type ConvKernel,
  type CumsumKernel,
  type ElementwiseKernel,
  type GatherKernel,
  type GemmKernel,
  type Kernel,
  type Operand,
  type PlaceKernel,
  type ReduceKernel,
  type ScatterKernel,
  type SortKernel,
} from '../../compiler/kernel.ts'
import { at, permute, range } from '../../prelude/array.ts'
import type { View } from '../../compiler/view.ts'
import { copyView, prepareConv } from './conv.ts'
import { loop } from './loop.ts'
import { evaluator, filler, type BufferOf, type Keep } from './evaluate.ts'
import { blockSize, type Lanes, type Run as Block } from './lanes.ts'
import { ascending, asNumbers, store } from './store.ts'
import { rowAddress, walker } from './walk.ts'
import { gemmFor } from './wholeGemm.ts'

/** Runs a prepared kernel. */
export type Run = () => void

/** Hands `write` an array to fill with sums; f16 goes through doubles and is rounded once at the end. */
const writing = (out: TypedArray, write: (to: Lanes) => void): void => {
  if (!(out instanceof Uint16Array)) {
    write(out)
    return
  }
  const wide = new Float64Array(out.length)
  write(wide)
  wide.forEach((x, i) => {
    store(out, i, roundTo.f16(x))
  })
}

/** Writes a block of values to where it belongs in a buffer. */
const storeBlock = (out: TypedArray, start: number, n: number, { array, start: from }: Block): void => {
  if (out instanceof Uint16Array) for (let i = 0; i < n; i++) store(out, start + i, array[from + i] as number)
  else out.set(array.subarray(from, from + n), start)
}

const elementwise = ({ body, output, dtype, further = [] }: ElementwiseKernel, bufferOf: BufferOf): Run => {
  const bufferFor = new Map(further.map((r) => [r.instruction, r.buffer]))
  const kept = [...bufferFor.keys()]
  const keep: Keep = (instruction, start, n, run) => {
    storeBlock(bufferOf(bufferFor.get(instruction) ?? output), start, n, run)
  }
  if (dtype !== 'f16') {
    const fill = filler(body, bufferOf, kept, keep)
    return () => {
      fill(bufferOf(output) as Lanes)
    }
  }
  const evaluate = evaluator(body, bufferOf, kept, keep)
  return () => {
    const out = bufferOf(output)
    for (let start = 0; start < body.size; start += blockSize) {
      const n = Math.min(blockSize, body.size - start)
      storeBlock(out, start, n, evaluate(start, n))
    }
  }
}

/** A contraction, and then its epilogue in place. */
const ended = (kernel: GemmKernel | ConvKernel, contract: Run, bufferOf: BufferOf): Run => {
  const epilogue = epilogueKernel(kernel)
  if (epilogue === undefined) return contract
  const finish = elementwise(epilogue, bufferOf)
  return () => {
    contract()
    finish()
  }
}

/** Sums in f64, or wrapping integers; the order is that of the linear index. */
const accumulators = (from: DType, to: DType, size: number): Lanes =>
  isWrapping(from, to) ? new Int32Array(size) : new Float64Array(size)

const sumInto = (sums: Lanes, address: number, step: number, x: Lanes, from: number, count: number): void => {
  if (step !== 0) {
    for (let i = 0; i < count; i++)
      sums[address + i * step] = (sums[address + i * step] as number) + (x[from + i] as number)
    return
  }
  let sum = sums[address] as number
  for (let i = 0; i < count; i++) sum += x[from + i] as number
  sums[address] = sum
}

const maxInto = (sums: Lanes, address: number, step: number, x: Lanes, from: number, count: number): void => {
  for (let i = 0; i < count; i++)
    sums[address + i * step] = Math.max(sums[address + i * step] as number, x[from + i] as number)
}

const reduce = ({ body, target, size, operation, output, dtype }: ReduceKernel, bufferOf: BufferOf): Run => {
  const evaluate = evaluator(body, bufferOf)
  const from = at(body.instructions, body.instructions.length - 1).dtype
  const w = walker(target)
  const fold = operation === 'sum' ? sumInto : maxInto
  return () => {
    const sums = operation === 'sum' ? accumulators(from, dtype, size) : new Float64Array(size).fill(-Infinity)
    for (let start = 0; start < body.size; start += blockSize) {
      const n = Math.min(blockSize, body.size - start)
      const run = evaluate(start, n)
      let row = Math.floor(start / w.inner)
      let within = start - row * w.inner
      for (let done = 0; done < n; row++, within = 0) {
        const count = Math.min(w.inner - within, n - done)
        fold(sums, rowAddress(w, row) + within * w.step, w.step, run.array, run.start + done, count)
        done += count
      }
    }
    const out = bufferOf(output)
    for (let i = 0; i < size; i++) store(out, i, roundTo[dtype](sums[i] as number))
  }
}

/** Some axes of an operand's view, without its offset. */
const axesOf = ({ view }: Operand, axes: readonly number[]): View => ({
  offset: 0,
  shape: permute(view.shape, axes),
  strides: permute(view.strides, axes),
})

const prepareGemm = ({ x, y, axes, output, dtype }: GemmKernel, bufferOf: BufferOf): Run => {
  const gemm = gemmFor(x.dtype, dtype)
  const part = (operand: Operand, list: readonly number[]): Int32Array => addresses(axesOf(operand, list))
  const [xBatch, yBatch] = [part(x, axes.batch[0]), part(y, axes.batch[1])]
  const left = { rows: part(x, axes.rows), columns: part(x, axes.contract[0]) }
  const right = { rows: part(y, axes.contract[1]), columns: part(y, axes.columns) }
  const [rows, columns] = [left.rows.length, right.columns.length]
  return () => {
    const [xs, ys] = [asNumbers(bufferOf(x.buffer)), asNumbers(bufferOf(y.buffer))]
    writing(bufferOf(output), (out) => {
      xBatch.forEach((offset, b) => {
        const target = { array: out, offset: b * rows * columns, rowStride: columns }
        gemm(
          target,
          { array: xs, offset: x.view.offset + offset, ...left },
          { array: ys, offset: y.view.offset + (yBatch[b] as number), ...right },
        )
      })
    })
  }
}

const place = ({ parts, output, shape }: PlaceKernel, bufferOf: BufferOf): Run => {
  const copies = parts.map((part) => ({ from: part.from, window: windowOf(shape, part) }))
  return () => {
    const out = bufferOf(output)
    out.fill(0)
    // Values are moved, not computed with: the bits of a half are as good as its value.
    for (const { from, window } of copies) copyView(out as Lanes, window, bufferOf(from.buffer) as Lanes, from.view)
  }
}

const clamp = (i: number, rows: number): number => (i < 0 ? 0 : i >= rows ? rows - 1 : i)

const gather = (
  { table, index, extent: { outer, rows, picks, inner }, output }: GatherKernel,
  bufferOf: BufferOf,
): Run => {
  return () => {
    const [out, from, indices] = [bufferOf(output), bufferOf(table.buffer), bufferOf(index.buffer)]
    for (let o = 0; o < outer; o++)
      for (let p = 0; p < picks; p++) {
        const source = (o * rows + clamp(indices[p] as number, rows)) * inner
        const target = (o * picks + p) * inner
        for (let k = 0; k < inner; k++) out[target + k] = from[source + k] as number
      }
  }
}

const scatter = (
  { updates, index, extent: { outer, rows, picks, inner }, output, dtype }: ScatterKernel,
  bufferOf: BufferOf,
): Run => {
  return () => {
    const [from, indices] = [asNumbers(bufferOf(updates.buffer)), bufferOf(index.buffer)]
    const sums = accumulators(dtype, dtype, outer * rows * inner)
    for (let o = 0; o < outer; o++)
      for (let p = 0; p < picks; p++) {
        const target = (o * rows + clamp(indices[p] as number, rows)) * inner
        const source = (o * picks + p) * inner
        for (let k = 0; k < inner; k++) sums[target + k] = (sums[target + k] as number) + (from[source + k] as number)
      }
    const out = bufferOf(output)
    for (let i = 0; i < sums.length; i++) store(out, i, roundTo[dtype](sums[i] as number))
  }
}

const sort = ({ from, outer, length, inner, output }: SortKernel, bufferOf: BufferOf): Run => {
  return () => {
    const [out, x] = [bufferOf(output), asNumbers(bufferOf(from.buffer))]
    for (let o = 0; o < outer; o++)
      for (let k = 0; k < inner; k++) {
        const address = (j: number): number => (o * length + j) * inner + k
        const order = range(length).toSorted(
          (a, b) => ascending(x[address(a)] as number, x[address(b)] as number) || a - b,
        )
        order.forEach((j, i) => {
          out[address(i)] = j
        })
      }
  }
}

const cumsum = ({ from, outer, length, inner, reverse, output, dtype }: CumsumKernel, bufferOf: BufferOf): Run => {
  const step = reverse ? -inner : inner
  return () => {
    const [out, x] = [bufferOf(output), asNumbers(bufferOf(from.buffer))]
    const sum = accumulators(dtype, dtype, 1)
    for (let o = 0; o < outer; o++)
      for (let k = 0; k < inner; k++) {
        let address = (o * length + (reverse ? length - 1 : 0)) * inner + k
        sum[0] = 0
        for (let j = 0; j < length; j++, address += step) {
          sum[0] = sum[0] + (x[address] as number)
          store(out, address, roundTo[dtype](sum[0]))
        }
      }
  }
}

const conv = (kernel: ConvKernel, bufferOf: BufferOf): Run => {
  const run = prepareConv(kernel)
  return () => {
    writing(bufferOf(kernel.output), (out) => {
      run(out, asNumbers(bufferOf(kernel.x.buffer)), asNumbers(bufferOf(kernel.filter.buffer)))
    })
  }
}

/** Step by step: one thread gains nothing by rows. */
const inTurn = (steps: readonly Kernel[], bufferOf: BufferOf): Run => {
  const runs = steps.map((step) => prepareKernel(step, bufferOf))
  return () => {
    for (const run of runs) run()
  }
}

/** Prepares a kernel: everything that depends on shapes alone is computed here, once. */
export const prepareKernel = (kernel: Kernel, bufferOf: BufferOf): Run => {
  switch (kernel.kind) {
    case 'elementwise':
      return elementwise(kernel, bufferOf)
    case 'reduce':
      return reduce(kernel, bufferOf)
    case 'gemm':
      return ended(kernel, prepareGemm(kernel, bufferOf), bufferOf)
    case 'conv':
      return ended(kernel, conv(kernel, bufferOf), bufferOf)
    case 'place':
      return place(kernel, bufferOf)
    case 'gather':
      return gather(kernel, bufferOf)
    case 'scatter':
      return scatter(kernel, bufferOf)
    case 'sort':
      return sort(kernel, bufferOf)
    case 'cumsum':
      return cumsum(kernel, bufferOf)
    case 'rows':
    case 'group':
      return inTurn(stepsOf(kernel), bufferOf)
    case 'loop':
      return loop(kernel, bufferOf, prepareKernel)
  }
}
