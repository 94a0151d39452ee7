/**
 * The held-out losses of a fathom run beside those of train.py: a table, a chart, and whether the last ones are within 5 %.
 *
 *     node scripts/node24.mjs bench/peers/training/compare.ts RUN CURVE.json [CHART.svg]
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { lineChart, readMetrics } from '../../../src/io/index.ts'
import { E } from '../../../src/prelude/fp.ts'
import { table } from '../../report.ts'

const tolerance = 0.05

interface Row {
  readonly step: number
  readonly loss: number
  readonly heldOut?: number
}

const [, , run = '', curve = '', chart] = process.argv
const metrics = await readMetrics(join(run, 'metrics.jsonl'))()
if (E.isLeft(metrics)) throw new Error(metrics.left.message)
const theirs = (JSON.parse(readFileSync(curve, 'utf8')) as { steps: readonly Row[] }).steps

const heldOut = (rows: readonly { readonly step: number; readonly heldOut?: unknown }[]) =>
  new Map(rows.flatMap(({ step, heldOut }) => (typeof heldOut === 'number' ? [[step, heldOut] as const] : [])))

const [a, b] = [heldOut(metrics.right), heldOut(theirs)]
const steps = [...a.keys()].filter((step) => b.has(step))
const ratio = (step: number): number => (a.get(step) ?? NaN) / (b.get(step) ?? NaN)
const shown = (x: number | undefined): string => x?.toFixed(4) ?? ''
process.stdout.write(
  `${table([['step', 'fathom', 'PyTorch', 'ratio'], ...steps.map((step) => [String(step), shown(a.get(step)), shown(b.get(step)), ratio(step).toFixed(3)])])}\n`,
)
if (chart !== undefined)
  writeFileSync(
    chart,
    lineChart({
      title: 'The same network, on the same pictures',
      xLabel: 'step',
      yLabel: 'held-out loss',
      series: [
        { name: 'fathom', points: [...a] },
        { name: 'PyTorch', points: [...b] },
      ],
      logY: true,
    }),
  )
const last = steps.at(-1)
const within = last !== undefined && ratio(last) <= 1 + tolerance
process.stdout.write(
  last === undefined
    ? 'no step was measured on both sides\n'
    : `step ${last}: fathom's held-out loss is ${ratio(last).toFixed(3)} of PyTorch's, ${within ? 'within' : 'NOT within'} 5 %\n`,
)
process.exitCode = within ? 0 : 1
