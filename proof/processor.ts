/** What this processor makes of the programs of sameBits.ts, printed: scripts/arm64.mjs and scripts/page.mjs compare the lines. */
import process from 'node:process'
import { sampled, trained } from './sameBits.ts'

for (const lines of [trained([1, 2]), sampled()]) for await (const line of lines) process.stdout.write(`${line}\n`)
