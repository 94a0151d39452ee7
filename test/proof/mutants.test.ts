/** The list of planted bugs fits the source, and the page that says which test catches each fits the list. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { mutants } from '../../proof/mutants/all.ts'
import { mutated } from '../../proof/mutants/copy.ts'
import { areas } from '../../proof/mutants/mutant.ts'
import { rowStart, tableOf } from '../../proof/mutants/table.ts'
import { verdictOf } from '../../proof/mutants/verdict.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

describe('planted bugs', () => {
  it('are more than 200, in every area, each with a name of its own', () => {
    expect(mutants.length).toBeGreaterThan(200)
    for (const area of areas) expect(mutants.filter((m) => m.area === area).length, area).toBeGreaterThanOrEqual(4)
    expect(new Set(mutants.map((m) => m.name)).size).toBe(mutants.length)
  })

  it('each change one place in the source, which occurs once', () => {
    for (const mutant of mutants) {
      const source = read(mutant.file)
      expect(source.split(mutant.find).length - 1, `${mutant.file}: ${mutant.find}`).toBe(1)
      expect(mutated(source, mutant), mutant.name).not.toBe(source)
    }
  })

  it('each name tests that exist, by a pattern that can be read', () => {
    for (const { name, tests, pattern = '' } of mutants) {
      expect(tests.length, name).toBeGreaterThan(0)
      for (const test of tests) expect(existsSync(join(root, test)), `${name}: ${test}`).toBe(true)
      expect(() => new RegExp(pattern, 'u'), name).not.toThrow()
    }
  })

  it('are all on the page, which names the test that caught each, and no others', () => {
    const page = read('docs/proof/mutants.md')
    for (const mutant of mutants) expect(page.split(`\n${rowStart(mutant)}`).length - 1, mutant.name).toBe(1)
    expect(page.match(/^\| (?!bug |---)/gm)?.length).toBe(mutants.length)
    expect(page).toContain(`**${mutants.length} of ${mutants.length} were caught**`)
  })
})

describe('a verdict', () => {
  const passed = { file: 'test/a.test.ts', title: 'a holds', passed: true, message: '' }
  const failed = { file: 'test/a.test.ts', title: 'b holds', passed: false, message: 'no' }

  it('is caught by the first test that fails, also where the file breaks afterwards', () => {
    const caught = { kind: 'caught', file: 'test/a.test.ts', title: 'b holds' }
    expect(verdictOf({ results: [passed, failed] })).toEqual(caught)
    expect(verdictOf({ results: [failed], problem: 'it broke' })).toEqual(caught)
  })

  it('says when the test ended by its time limit', () => {
    const hung = { ...failed, message: 'Error: Test timed out in 60000ms.' }
    expect(verdictOf({ results: [hung] })).toMatchObject({ title: 'b holds (by its time limit)' })
  })

  it('is survived when tests ran and none failed, and an error when none ran or the run broke', () => {
    expect(verdictOf({ results: [passed] })).toEqual({ kind: 'survived' })
    expect(verdictOf({ results: [] }).kind).toBe('error')
    expect(verdictOf({ results: [passed], problem: 'no end after 180 s' }).kind).toBe('error')
  })

  it('that is not caught stands in bold in the table', () => {
    const [mutant] = mutants
    if (mutant === undefined) throw new Error('there are no mutants')
    expect(tableOf([mutant], [{ mutant, verdict: { kind: 'survived' } }])).toContain('**nothing**')
    expect(tableOf([mutant], [{ mutant, verdict: { kind: 'error', message: 'a hang' } }])).toContain(
      '**the run failed**: a hang',
    )
  })
})
