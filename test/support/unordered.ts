/**
 * cpu, in the freedom that the kernel IR gives a backend: rows run one by one from the last to the first, members of a group too. What a row has
 * not computed yet is NaN while it runs, and other rows find of it what they left.
 */
import { cpuBackend } from '../../src/backends/cpu/backend.ts'
import { prepareKernel, type Run } from '../../src/backends/cpu/run.ts'
import type { Backend } from '../../src/backends/backend.ts'
import { resultsOf, type Kernel, type RowsKernel } from '../../src/compiler/kernel.ts'
import type { TypedArray } from '../../src/graph/dtype.ts'

type BufferOf = (buffer: number) => TypedArray

/** Runs a stage, of which only one row stays: all else in its results is put back. */
const onlyRow = (run: Run, results: readonly TypedArray[], row: number, rows: number): void => {
  const before = results.map((r) => r.slice())
  run()
  results.forEach((result, k) => {
    const length = result.length / rows
    const computed = result.slice(row * length, (row + 1) * length)
    result.set(before[k] ?? [])
    result.set(computed, row * length)
  })
}

const rowByRow = (kernel: RowsKernel, bufferOf: BufferOf): Run => {
  const stages = kernel.stages.map((stage) => ({ run: prepareKernel(stage, bufferOf), results: resultsOf(stage) }))
  return () => {
    for (let row = kernel.rows - 1; row >= 0; row--)
      for (const { run, results } of stages)
        onlyRow(
          run,
          results.map(({ buffer }) => bufferOf(buffer)),
          row,
          kernel.rows,
        )
  }
}

const unordered = (kernel: Kernel, bufferOf: BufferOf): Run => {
  if (kernel.kind === 'rows') return rowByRow(kernel, bufferOf)
  if (kernel.kind !== 'group') return prepareKernel(kernel, bufferOf)
  const members = kernel.members.map((member) => unordered(member, bufferOf)).toReversed()
  return () => {
    for (const run of members) run()
  }
}

/** Opens it. */
export const unorderedBackend = (): Backend => ({
  ...cpuBackend(true, unordered),
  name: 'cpu, rows and members in any order',
})
