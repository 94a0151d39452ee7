/** Every operation against its oracle, on every backend and with every pass of the compiler switched off; and that none is left out. */
import { describe, expect, it } from 'vitest'
import { inferRules } from '../../src/graph/infer.ts'
import { interpretRules } from '../../src/backends/cpu/interpret.ts'
import { primitives } from '../../proof/registry/primitives.ts'
import { prove } from './prove.ts'

describe('the registry', () => {
  it('has an entry for every primitive', () => {
    const names = Object.keys(primitives).toSorted()
    expect(names).toEqual(Object.keys(inferRules).toSorted())
    expect(names).toEqual(Object.keys(interpretRules).toSorted())
  })
})

describe('values', () => {
  prove('values', 'equals its oracle in every dtype and configuration, compiled and realized', { least: 13_000 })
})
