/**
 * `node scripts/node24.mjs proof/ledger.ts`: runs the test of every printed equation and writes docs/ledger.md.
 * With numbers, `proof/ledger.ts 6.4 6.5`, it runs these and only prints what it found.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../test/docs/pages.ts'
import { printedEquations } from './ledger/docs.ts'
import { checked, ledger } from './ledger/index.ts'
import { ledgerPage, type Line } from './ledger/page.ts'

const wanted = process.argv.slice(2)
const lines: Line[] = []
let failures = 0
for (const printed of printedEquations()) {
  if (wanted.length > 0 && !wanted.includes(printed.number)) continue
  const equation = ledger.find(({ number }) => number === printed.number)
  try {
    if (equation === undefined) throw new Error(`${printed.page}:${printed.line}: (${printed.number}) has no test`)
    const start = performance.now()
    const outcome = await checked(equation)
    const { checks, error, tolerance } = outcome
    const found = `${checks} numbers, error ${error.toExponential(1)} of ${tolerance.toExponential(1)}`
    console.log(`(${printed.number}) ${found}, ${(performance.now() - start).toFixed(0)} ms`)
    lines.push({ printed, equation, outcome })
  } catch (error) {
    failures += 1
    console.error(String(error))
  }
}
if (failures > 0) {
  console.error(`${failures} equations without a test that holds: docs/ledger.md is left as it was`)
  process.exitCode = 1
} else if (wanted.length === 0) {
  writeFileSync(join(root, 'docs', 'ledger.md'), ledgerPage(lines))
  console.log(`docs/ledger.md: ${lines.length} equations`)
}
