/** The page of ends is what its data say. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { readEnds } from '../../proof/ends/golden.ts'
import { endsPage } from '../../proof/ends/page.ts'

it('docs/proof/ends.md is written from the golden values and the exceptions: run `npm run ends`', () => {
  const { torch, cases } = readEnds()
  expect(readFileSync(new URL('../../docs/proof/ends.md', import.meta.url), 'utf8')).toBe(endsPage(torch, cases))
})
