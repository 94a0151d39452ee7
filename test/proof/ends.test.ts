/** Every function and loss at NaN, ±∞, −0, equal elements, nothing at all and integers: against PyTorch, and against the oracles of the registry. */
import { describe, expect, it } from 'vitest'
import { wasm } from '../../proof/devices.ts'
import { absent, renamed } from '../../proof/ends/absent.ts'
import { checkEnds } from '../../proof/ends/check.ts'
import { deviations } from '../../proof/ends/exceptions.ts'
import { readEnds } from '../../proof/ends/golden.ts'
import { functions } from '../../proof/registry/functions.ts'
import { losses } from '../../proof/registry/layers/losses.ts'
import { cpuForms } from '../support/device.ts'
import { prove } from './prove.ts'

const { cases } = readEnds()
const forms = [...cpuForms.map(([name, open]) => [`cpu, ${name}`, open] as const), [wasm.name, wasm.open] as const]

describe.each(forms)('at the ends, %s', (_, open) => {
  it.each(['f64', 'f32'] as const)(
    'has the values and gradients of PyTorch but for the listed exceptions, in %s',
    async (float) => {
      const device = open()
      const { cases: compared, wrong } = await checkEnds(device, float)
      await device.close()
      expect(wrong).toEqual([])
      expect(compared).toBeGreaterThanOrEqual(260)
    },
  )
})

describe('the table of ends', () => {
  it('has a row for every public function and loss, or says why not', () => {
    const subjects = new Set(cases.map((c) => c.subject))
    const names = [...Object.keys(functions), ...Object.keys(losses)]
    expect(names.filter((name) => !subjects.has(renamed[name] ?? name)).toSorted()).toEqual(
      Object.keys(absent).toSorted(),
    )
  })

  it('tries every function of floats with NaN or says that it takes none', () => {
    const tried = new Set(
      cases.flatMap((c) => ([...c.inputs.values()].some((x) => x.data.some(Number.isNaN)) ? [c.subject] : [])),
    )
    const untried = new Set(cases.map((c) => c.subject).filter((name) => !tried.has(name)))
    expect([...untried].toSorted()).toEqual(['and', 'bitcast', 'not', 'oneHot', 'or', 'shiftLeft', 'shiftRight', 'xor'])
  })

  it('gives a reason for every exception, and each place has one', () => {
    const places = deviations.flatMap((d) => d.exceptions.map((e) => e.at))
    expect(new Set(places).size).toBe(places.length)
    for (const { reason } of deviations) expect(reason.length).toBeGreaterThan(60)
  })
})

describe('ends', () => {
  prove('ends', 'equals its oracle at NaN, ±∞, zeros, equal elements, a large offset, the ends of integers', {
    least: 11_000,
  })
})
