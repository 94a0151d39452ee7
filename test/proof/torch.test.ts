/** fathom against PyTorch: values and gradients of every operation and layer, in both forms of cpu. */
import { describe, expect, it } from 'vitest'
import { wasm } from '../../proof/devices.ts'
import { checkSubject, tolerances, torchSuite } from '../../proof/suites/torch.ts'
import { total } from '../../proof/tally.ts'
import { readGolden, type Subject } from '../../proof/torch/golden.ts'
import { row, unary, type Row } from '../../proof/torch/row.ts'
import { table } from '../../proof/torch/table.ts'
import { argmax } from '../../src/tensor/combine.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, cpuForms } from '../support/device.ts'

const { torch, subjects } = await readGolden()

const subject = (name: string): Subject => {
  const found = subjects.find((s) => s.name === name)
  if (found === undefined) throw new Error(`there is no golden subject '${name}'`)
  return found
}

/** In f32, on cpu, fathom may be this many times as far from the truth as PyTorch; three units in the last place are always allowed. */
const [farther, threeUlps] = [5, 3 * 2 ** -24]

describe('golden values of PyTorch', () => {
  it('are of at least 115 subjects, with at least 4 cases each, of which each has a result', () => {
    expect(torch).toMatch(/^\d+\.\d+/)
    expect(subjects.length).toBeGreaterThanOrEqual(115)
    expect(subjects.filter((s) => s.cases.length < 4).map((s) => s.name)).toEqual([])
    expect(subjects.filter((s) => s.cases.some((c) => c.results.size === 0)).map((s) => s.name)).toEqual([])
  })

  it('have gradients of every float input wherever a float result has one', () => {
    const withGradients = subjects.filter((s) => s.cases.some((c) => c.cotangents.size > 0))
    expect(withGradients.length).toBeGreaterThanOrEqual(85)
    for (const { name, cases } of withGradients)
      for (const c of cases)
        if (c.cotangents.size > 0) {
          const floats = [...c.inputs].flatMap(([k, x]) => (x.dtype === 'f32' ? [k] : []))
          expect([...c.gradients.keys()].toSorted(), name).toEqual(floats.toSorted())
        }
  })

  it('and the table of functions have the same names', () => {
    expect(Object.keys(table).toSorted()).toEqual(subjects.map((s) => s.name).toSorted())
  })
})

const forms = [...cpuForms.map(([name, open]) => [`cpu, ${name}`, open] as const), [wasm.name, wasm.open] as const]

describe.each(forms)('%s', (_, open) => {
  it('gives the values and gradients of PyTorch: f64 to 1e-10, f32 to 1e-5 (1e-4 for contractions), of the truth', async () => {
    const tallies = await torchSuite(open())
    const { checks, worst } = total(tallies)
    expect(checks).toBeGreaterThanOrEqual(3000)
    expect(worst).toBeLessThanOrEqual(1)
    const own = new Map(tallies.flatMap((t) => (t.suite.endsWith('f32') ? [[t.subject, t.worst]] : [])))
    const far = subjects.filter(
      ({ name, bar, torchFloat32 }) =>
        (own.get(name) ?? 0) * tolerances.f32[bar] > Math.max(farther * torchFloat32, threeUlps),
    )
    expect(far.map((s) => s.name)).toEqual([])
  }, 180_000)
})

const wrong: readonly (readonly [what: string, name: string, row: Row])[] = [
  ['a value that is off by one part in 10⁹', 'silu', unary((x) => x.mul(x.sigmoid()).mul(1 + 1e-9))],
  [
    'a right value with a wrong gradient',
    'relu',
    unary((x) => x.stopGradient().maximum(0).add(x.sub(x.stopGradient()))),
  ],
  ['a gradient that is missing', 'square', unary((x) => x.mul(x.stopGradient()))],
  [
    'a gradient of equal elements that goes to one of them',
    'maximum',
    row<{ x: Tensor; y: Tensor }>(({ x, y }) => x.greater(y).select(x, y)),
  ],
  [
    'an integer that is off by one',
    'argmax',
    row<{ x: Tensor; axis?: number }>(({ x, axis }) => argmax(x, axis).add(1)),
  ],
  ['a result of another shape', 'sum', unary((x) => x.sum(undefined, true))],
  ['a result of another name', 'splitInto', row<{ x: Tensor }>(({ x }) => ({ other: x }))],
]

describe('the comparison', () => {
  it.each(wrong)('refuses %s', async (_what, name, bad) => {
    await expect(checkSubject(cpuDevice(), subject(name), bad, 'f64')).rejects.toThrow(`${name}, case`)
  })
})
