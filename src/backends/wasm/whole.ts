/**
 * The backend with what writes kernels that few programs have: the scalar ones, sorts, sums and picks by index, Winograd's transforms, depthwise
 * convolutions. A page loads it when a plan first has one of them; on Node, where it lies beside the program, it is there from the beginning.
 *
 * A new writer is added to the table, beside its code.
 */
import type { Backend } from '../backend.ts'
import { openWasm as open, wasmBackend as over, type WasmSetup } from './backend.ts'
import { filterCode, pixelsCode } from './conv/depthwise.ts'
import { writeFilter, writePixels } from './conv/depthwiseCode.ts'
import { apartCode } from './conv/imagesApart.ts'
import { writeApart } from './conv/imagesApartCode.ts'
import { gatheringCode, scatteringCode } from './conv/winograd.ts'
import { blocksCode } from './conv/winogradBlocks.ts'
import { writeBlocks, writeGathering, writeScattering } from './conv/winogradCode.ts'
import { acrossCode } from './elementwise/transposing.ts'
import { writeAcross } from './elementwise/transposingCode.ts'
import { javascriptFunctions, javascriptImports } from './emit/javascript.ts'
import { writer, type Machine, type Writers } from './emit/kernelCode.ts'
import { columnsCode, linesCode } from './move/cumsum.ts'
import { writeColumns, writeLines } from './move/cumsumCode.ts'
import { gatherCode } from './move/gather.ts'
import { writeGather } from './move/gatherCode.ts'
import { addCode, roundCode } from './move/scatter.ts'
import { writeRounding, writeSums } from './move/scatterCode.ts'
import { rowsOfNestCode } from './move/place.ts'
import { writeRowsOfNest } from './move/placeCode.ts'
import { orderCode, rowsCode } from './move/scatterRows.ts'
import { writeOrder, writeRows } from './move/scatterRowsCode.ts'
import { sortCode } from './move/sort.ts'
import { writeSort } from './move/sortCode.ts'
import { digitsCode } from './move/sortDigits.ts'
import { writeSortDigits } from './move/sortDigitsCode.ts'
import { elementwiseCode, reduceCode } from './scalar/scalar.ts'
import { writeScalar, writeScalarReduce } from './scalar/scalarCode.ts'
import { convCode } from './scalar/scalarConv.ts'
import { writeScalarConv } from './scalar/scalarConvCode.ts'
import { gemmCode } from './scalar/scalarGemm.ts'
import { writeScalarGemm } from './scalar/scalarGemmCode.ts'

/** What writes each code that was given none. */
const makes: Writers['makes'] = new Map([
  writer(acrossCode, writeAcross),
  writer(addCode, writeSums),
  writer(apartCode, writeApart),
  writer(blocksCode, writeBlocks),
  writer(columnsCode, writeColumns),
  writer(convCode, writeScalarConv),
  writer(digitsCode, writeSortDigits),
  writer(elementwiseCode, writeScalar),
  writer(filterCode, writeFilter),
  writer(gatherCode, writeGather),
  writer(gatheringCode, writeGathering),
  writer(gemmCode, writeScalarGemm),
  writer(linesCode, writeLines),
  writer(orderCode, writeOrder),
  writer(pixelsCode, writePixels),
  writer(reduceCode, writeScalarReduce),
  writer(roundCode, writeRounding),
  writer(rowsCode, writeRows),
  writer(rowsOfNestCode, writeRowsOfNest),
  writer(scatteringCode, writeScattering),
  writer(sortCode, writeSort),
])

/** All of it. */
export const writers: Writers = { makes, imports: javascriptImports, called: javascriptFunctions }

/** The backend on the caller's thread alone, as backend.ts has it, and nothing of it to be loaded later. */
export const wasmBackend = (machine?: Machine): Backend => over(writers, machine)

/** Opens the backend as backend.ts does, and nothing of it is loaded later. */
export const openWasm = (options: Omit<WasmSetup, 'writers'> = {}): Promise<Backend> => open({ ...options, writers })
