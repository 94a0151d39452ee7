/**
 * Checks the layers of src/ by dependency-cruiser's rules (.dependency-cruiser.cjs), and that the cruiser saw src/ at
 * all: without the API of TypeScript 6 it reports no violations among 0 modules and passes.
 */
import { cruise, format } from 'dependency-cruiser'
import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options'
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const options = await extractOptions('./.dependency-cruiser.cjs')
const { output } = await cruise(['src'], options, undefined, { tsConfig: extractTSConfig('tsconfig.json') })
const { output: report } = await format(output, { outputType: 'err-long' })
const cruised = output.modules.filter(({ source }) => /^src\/.*\.ts$/.test(source)).length
const files = readdirSync('src', { recursive: true }).filter((path) => path.endsWith('.ts')).length

console.log(report)
if (cruised < files) {
  console.error(`layers: ${cruised} modules were cruised, src/ has ${files} files; is TypeScript 6's API installed?`)
  process.exitCode = 1
}
if (output.summary.error > 0) process.exitCode = 1
