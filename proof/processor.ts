/**
 * What this processor makes of the programs of sameBits.ts, printed: scripts/arm64.mjs and scripts/page.mjs compare the lines. `--gpu` adds those of
 * a GPU that is a program.
 */
import process from 'node:process'
import { onSoftwareGpu, sampled, trained } from './sameBits.ts'
import { useSwiftShader } from './webgpu.ts'

useSwiftShader()
const gpu = process.argv.includes('--gpu') ? [onSoftwareGpu()] : []
for (const lines of [trained([1, 2]), sampled(), ...gpu])
  for await (const line of lines) process.stdout.write(`${line}\n`)
