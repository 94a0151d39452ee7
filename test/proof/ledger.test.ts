import { describe, expect, it } from 'vitest'
import { share } from '../../proof/ledger/equation.ts'
import { checked, ledger } from '../../proof/ledger/index.ts'

describe('the ledger of formulas', () => {
  it.each(ledger.map((equation) => [`(${equation.number}) ${equation.statement}: ${equation.by}`, equation] as const))(
    '%s',
    { timeout: 30_000 },
    async (_, equation) => {
      const outcome = await checked(equation)
      expect(outcome.checks).toBeGreaterThan(0)
      expect(share(outcome)).toBeLessThanOrEqual(1)
    },
  )
})
