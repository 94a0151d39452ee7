/** Writes docs/proof/ends.md from the golden values and the exceptions: `npm run ends`. */
import { writeFileSync } from 'node:fs'
import { readEnds } from './ends/golden.ts'
import { endsPage } from './ends/page.ts'

const { torch, cases } = readEnds()
writeFileSync(new URL('../docs/proof/ends.md', import.meta.url), endsPage(torch, cases))
