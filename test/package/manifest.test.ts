/** What package.json and the lock file promise to users and contributors. scripts/packed.mjs tries it out. */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const source = (built: string): string => built.replace('./dist/', 'src/').replace(/(\.d\.ts|\.js)$/, '.ts')

type Entry = { readonly types: string; readonly browser?: string; readonly default: string }
type Manifest = {
  readonly bin: { readonly fathom: string }
  readonly exports: Readonly<Record<string, string | Entry>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}
const manifest = JSON.parse(read('package.json')) as Manifest
const tooling = JSON.parse(read('tooling/package.json')) as Manifest
const entries = Object.entries(manifest.exports).flatMap(([name, paths]) =>
  typeof paths === 'string' ? [] : [[name, paths] as const],
)

describe('the package', () => {
  it.each(entries)('entry %s has a source, and its types stand beside its code', (_name, paths) => {
    expect(existsSync(new URL(`../../${source(paths.default)}`, import.meta.url))).toBe(true)
    expect(source(paths.types)).toBe(source(paths.default))
  })

  it('gives a page what needs no Node: of every entry a part, under the same names', async () => {
    const parts = entries.filter(([, { browser }]) => browser !== undefined)
    expect(parts.map(([name]) => name)).toEqual(['./io', './data', './train'])
    for (const [name, { default: all, browser = '' }] of parts) {
      const whole = (await import(`../../${source(all)}`)) as object
      const page = (await import(`../../${source(browser)}`)) as object
      expect(Object.keys(whole), name).toEqual(expect.arrayContaining(Object.keys(page)))
      expect(Object.keys(page).length, name).toBeGreaterThan(5)
    }
  })

  it('the source of the command starts with a shebang', () => {
    expect(read(source(`./${manifest.bin.fathom}`))).toMatch(/^#!\/usr\/bin\/env node\n/)
  })

  it('ships a README and a licence', () => {
    expect(existsSync(new URL('../../README.md', import.meta.url))).toBe(true)
    expect(read('LICENSE')).toMatch(/^MIT License/)
  })

  it('pins every dependency to one version', () => {
    const { dependencies, devDependencies, optionalDependencies } = manifest
    const versions = Object.values({ ...dependencies, ...devDependencies, ...optionalDependencies })
    for (const version of versions) expect(version).toMatch(/^(npm:.+@)?\d+\.\d+\.\d+$/)
  })
})

describe('the repository', () => {
  it('scripts run on Node 24 on every platform for which npm has it', () => {
    for (const version of Object.values(tooling.optionalDependencies)) expect(version).toMatch(/^24\./)
    for (const name of Object.keys(tooling.optionalDependencies))
      expect(read('scripts/node24.mjs')).toContain(`'${name}'`)
  })

  it('the tests run on Node 24', () => expect(process.versions.node).toMatch(/^24\./))

  it('the lock file names no registry, and holds the Node of every platform', () => {
    const lock = read('package-lock.json')
    expect(lock).not.toMatch(/"resolved": "[a-z+]+:/)
    for (const name of Object.keys(tooling.optionalDependencies)) expect(lock).toContain(`"node_modules/${name}"`)
  })
})
