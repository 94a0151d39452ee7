/**
 * Stages over rows as one launch. On a GPU a team of invocations takes some rows through all stages, and waits between them; on a processor that
 * plays one, an invocation does. Else the stages run one after the other.
 */
import { at } from '../../../prelude/array.ts'
import { domainOf, peeled, type Domain } from '../../../compiler/domain.ts'
import {
  resultsOf,
  type Body,
  type ElementwiseKernel,
  type ReduceKernel,
  type RowsKernel,
  type Stage,
} from '../../../compiler/kernel.ts'
import { independent, type Phase } from '../phase.ts'
import type { Target } from '../target.ts'
import { addresses, addressOf, coordinatesOf, placesOf, viewsOf, writeBodyAt, type BodyOptions } from '../wgsl/body.ts'
import { writeShader, type Shader } from '../wgsl/shader.ts'
import { sum, times, u32 } from '../wgsl/text.ts'
import { outputOf } from '../wgsl/value.ts'
import { finished } from './accumulate.ts'
import { eachLane, lanesOf } from './lanes.ts'
import { dtypesOf, loopsOf, wholeOf } from './reduction.ts'
import { isAcross, powerOfTwo, reducedByTeam, storesResults, termsOf } from './reduceTeams.ts'
import { waitForStored, type Division, type Team } from './team.ts'

/** Where a stage is written: rows of a team, or of one invocation. */
interface Rows {
  readonly kernel: RowsKernel
  /** The name of a row's number, and whether there is such a row. */
  readonly row: string
  readonly isOne: string
  readonly options: BodyOptions
  /** Of those that share the row, which one the invocation is, and how many they are. */
  readonly member: string
  readonly members: number
}

/** How many results a stage has, over all rows. */
const resultsIn = (stage: Stage): number => (stage.kind === 'reduce' ? stage.size : stage.body.size)

/** Where the views of a body lie, as a function of the number of an element in its row. */
const placesInRow = (
  shader: Shader,
  { size, instructions }: Body,
  { kernel, row }: Rows,
): ((element: string) => readonly string[]) => {
  const views = viewsOf({ size, instructions })
  const domain = domainOf(size, views)
  const cut = domain === undefined ? undefined : peeled(domain, kernel.rows)
  const length = size / kernel.rows
  const { main, fresh } = shader
  if (cut === undefined)
    return (element) => {
      const index = fresh('index')
      main.add(`let ${index} = ${sum([times(row, length), element])};`)
      return placesOf(shader, size, views, index)
    }
  const along = ({ tracks, lengths }: Domain, v: number, offset: number, coordinates: readonly string[]): string =>
    lengths.length === 0 ? u32(offset) : addressOf(offset, at(tracks, v).strides, coordinates)
  const outer = coordinatesOf(shader, row, cut.runs.lengths)
  const begins = views.map(({ offset }, v) => {
    const begin = fresh('begin')
    main.add(`let ${begin} = ${along(cut.runs, v, offset, outer)};`)
    return begin
  })
  return (element) => {
    const inner = coordinatesOf(shader, element, cut.run.lengths)
    return begins.map((begin, v) => sum([begin, along(cut.run, v, 0, inner)]))
  }
}

const elementwiseRow = (shader: Shader, stage: ElementwiseKernel, rows: Rows): void => {
  const { main, fresh } = shader
  const { body, further = [] } = stage
  const results = resultsOf(stage)
  const which = [...further.map((r) => r.instruction), body.instructions.length - 1]
  const length = body.size / rows.kernel.rows
  const lanes = lanesOf(results.map(({ dtype }) => dtype))
  const addressesOf = results.map(rows.options.addressOf)
  main.block(`if (${rows.isOne})`, () => {
    const [turn, first] = [fresh('turn'), fresh('first')]
    const places = placesInRow(shader, body, rows)
    main.add(`let ${first} = ${times(rows.row, length)};`)
    main.block(
      `for (var ${turn} = ${rows.member}; ${turn} < ${u32(length / lanes)}; ${turn} += ${u32(rows.members)})`,
      () => {
        const outputs = results.map(({ dtype }, r) => outputOf(shader, at(addressesOf, r), dtype))
        eachLane(shader, lanes, turn, (element) => {
          const values = writeBodyAt(shader, body, places(element), rows.options)
          const place = fresh('place')
          main.add(`let ${place} = ${sum([first, element])};`)
          outputs.forEach(({ store }, r) => {
            store(place, at(values, at(which, r)))
          })
        })
      },
    )
  })
}

/** A reduction of which each invocation takes whole results. */
const reduceRowAlone = (shader: Shader, stage: ReduceKernel, rows: Rows): void => {
  const { main, fresh } = shader
  const [from, to] = dtypesOf(stage)
  const loops = loopsOf(stage)
  const lanes = lanesOf([to])
  const results = stage.size / rows.kernel.rows
  const address = rows.options.addressOf({ buffer: stage.output })
  main.block(`if (${rows.isOne})`, () => {
    const turn = fresh('turn')
    main.block(
      `for (var ${turn} = ${rows.member}; ${turn} < ${u32(results / lanes)}; ${turn} += ${u32(rows.members)})`,
      () => {
        const output = outputOf(shader, address, to)
        eachLane(shader, lanes, turn, (element) => {
          const place = fresh('place')
          main.add(`let ${place} = ${sum([times(rows.row, results), element])};`)
          output.store(place, finished(shader, wholeOf(shader, stage, loops, place, rows.options), from, to))
        })
      },
    )
  })
}

/** How a row's results of a reduction are divided among a team. */
const divisionOf = (stage: ReduceKernel, results: number, { size }: Team): Division => {
  const together = Math.min(size, powerOfTwo(results))
  return { results: together, each: size / together, across: isAcross(loopsOf(stage)) }
}

const reduceRow = (shader: Shader, target: Target, stage: ReduceKernel, rows: Rows, team: Team): void => {
  const results = stage.size / rows.kernel.rows
  const division = divisionOf(stage, results, team)
  const lanes = lanesOf([stage.dtype])
  if (division.each === 1 || division.results < lanes) {
    reduceRowAlone(shader, stage, rows)
    return
  }
  const first = shader.fresh('first')
  shader.main.add(`let ${first} = ${times(rows.row, results)};`)
  const share = {
    team,
    division,
    results,
    first,
    lanes,
    operation: stage.operation,
    dtypes: dtypesOf(stage),
    isOne: () => rows.isOne,
    store: storesResults(shader, stage, rows.options),
  }
  reducedByTeam(shader, target, share, termsOf(shader, loopsOf(stage), rows.options))
}

/** The largest power of two of which a number is a multiple, up to 4. */
const alignmentOf = (x: number): number => (x % 4 === 0 ? 4 : x % 2 === 0 ? 2 : 1)

/** The kernel with several rows as one where else two rows would write into one word; undefined where their number does not allow it. */
const aligned = (kernel: RowsKernel): RowsKernel | undefined => {
  const together = kernel.stages.map((stage) => {
    const lanes = lanesOf(resultsOf(stage).map(({ dtype }) => dtype))
    return Math.max(1, lanes / alignmentOf(resultsIn(stage) / kernel.rows))
  })
  const rows = kernel.rows / Math.max(...together)
  return Number.isInteger(rows) ? { ...kernel, rows } : undefined
}

/** Elements of the longest row. */
const longestRow = ({ stages, rows }: RowsKernel): number => Math.max(...stages.map(({ body }) => body.size)) / rows

/** Invocations of the smallest workgroup, of the largest where there are many, and of the largest. */
const [narrow, wide, widest] = [64, 256, 1024]

/** Elements of a row that each invocation of its team takes, where rows are short. */
const perMember = 4

/** Rows are given to one workgroup each up to this length; longer ones where there are so many that they occupy a GPU. */
const [short, long, many] = [8192, 65536, 128]

/** So many rows occupy a processor: with fewer, stages that run apart are three times as fast there, and with more half as fast. */
const enough = 8

const byTeams = (kernel: RowsKernel, target: Target): Phase => {
  const most = kernel.rows < many ? Math.min(widest, target.invocations) : wide
  const size = Math.min(most, powerOfTwo(longestRow(kernel) / perMember))
  const workgroup = Math.max(narrow, size)
  const each = workgroup / size
  return {
    groups: Math.ceil(kernel.rows / each),
    written: writeShader(workgroup, (shader) => {
      const { main, number, fresh } = shader
      const row = fresh('row')
      const options = { addressOf: addresses(shader) }
      const member = size === workgroup ? 'lane' : 'member'
      if (size < workgroup) main.add(`let member = lane & ${u32(size - 1)};`)
      main.add(`let ${row} = ${each === 1 ? 'group' : `group * ${u32(each)} + lane / ${u32(size)}`};`)
      const isOne = each === 1 ? 'true' : `${row} < ${number(kernel.rows)}`
      const rows: Rows = { kernel, row, isOne, options, member, members: size }
      kernel.stages.forEach((stage, i) => {
        if (i > 0) waitForStored(shader)
        if (stage.kind === 'elementwise') elementwiseRow(shader, stage, rows)
        else reduceRow(shader, target, stage, rows, { size, workgroup, member })
      })
    }),
  }
}

const oneByOne = (kernel: RowsKernel): Phase =>
  independent(kernel.rows, (shader, turn) => {
    const options = { addressOf: addresses(shader) }
    const rows: Rows = { kernel, row: turn, isOne: 'true', options, member: '0u', members: 1 }
    for (const stage of kernel.stages) {
      if (stage.kind === 'elementwise') elementwiseRow(shader, stage, rows)
      else reduceRowAlone(shader, stage, rows)
    }
  })

/** Rows of stages as one launch; undefined where the stages had better run one after the other. */
export const rowsAtOnce = (kernel: RowsKernel, target: Target): Phase | undefined => {
  const cut = aligned(kernel)
  if (cut === undefined) return undefined
  if (target.software) return cut.rows >= enough ? oneByOne(cut) : undefined
  const length = longestRow(cut)
  return length <= short || (length <= long && cut.rows >= many) ? byTeams(cut, target) : undefined
}
