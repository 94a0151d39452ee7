/** Accuracy: the exact arithmetic that judges, the measure, and every function within its published bound. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { boundOf } from '../../proof/accuracy/bounds.ts'
import * as fast from '../../proof/accuracy/chebyshev.ts'
import { openMeasured } from '../../proof/accuracy/devices.ts'
import * as exact from '../../proof/accuracy/exact.ts'
import { updatedPage } from '../../proof/accuracy/page.ts'
import {
  absolute,
  add,
  divide,
  exactly,
  exponentOf,
  isLess,
  multiply,
  negate,
  one,
  signOf,
  squareRoot,
  subtract,
  toNumber,
  whole,
  type Real,
} from '../../proof/accuracy/real.ts'
import { exactValue, scalarFunctions } from '../../proof/accuracy/scalars.ts'
import { accuracySuite, names } from '../../proof/accuracy/suite.ts'
import { formats, judge, judgeExactly, unmeasured, type FloatType, type Measure } from '../../proof/accuracy/ulp.ts'

/** The first `digits` digits behind the point, cut off. */
const decimals = (x: Real, digits: number): string => {
  const scaled = absolute(x).m * 10n ** BigInt(digits)
  const cut = x.e < 0 ? scaled >> BigInt(-x.e) : scaled << BigInt(x.e)
  const text = cut.toString().padStart(digits + 1, '0')
  return `${signOf(x) < 0 ? '-' : ''}${text.slice(0, -digits)}.${text.slice(-digits)}`
}

/** |x / y − 1| < 2⁻¹⁵⁰. */
const expectEqual = (x: Real, y: Real): void => {
  const difference = subtract(x, y)
  if (signOf(difference) !== 0) expect(exponentOf(difference) - exponentOf(y)).toBeLessThan(-150)
}

const finite = (min: number, max: number): fc.Arbitrary<Real> => fc.double({ noNaN: true, min, max }).map(exactly)

describe('exact arithmetic', () => {
  it.each<readonly [string, Real, string]>([
    ['π', exact.pi, '3.1415926535897932384626433832795028841971'],
    ['ln 2', exact.ln2, '0.6931471805599453094172321214581765680755'],
    ['√2', squareRoot(whole(2)), '1.4142135623730950488016887242096980785696'],
    ['e', exact.exp(one), '2.7182818284590452353602874713526624977572'],
    ['ln 10', exact.log(whole(10)), '2.3025850929940456840179914546843642076011'],
    ['sin 1', exact.sin(one), '0.8414709848078965066525023216302989996225'],
    ['cos 1', exact.cos(one), '0.5403023058681397174009366074429766037323'],
    ['tanh 1', exact.tanh(one), '0.7615941559557648881194582826047935904127'],
    ['erf 1', exact.erf(one), '0.8427007929497148693412206350826092592960'],
    ['e · erfc 1', exact.erfcx(one), '0.4275835761558070044107503444905151808201'],
    ['Φ⁻¹(1/40)', exact.normalQuantile(divide(one, whole(40))), '-1.9599639845400542355245944305205515279555'],
  ])('has the printed digits of %s', (_, x, digits) => {
    expect(decimals(x, 40)).toBe(digits)
  })

  it('reduces sin 10²² by a π that is long enough', () => {
    expect(decimals(exact.sin(exactly(1e22)), 20)).toBe('-0.85220084976718880177')
  })

  it('satisfies the identities that define the functions', () => {
    const [x, y] = [finite(-30, 30), finite(-30, 30)]
    fc.assert(
      fc.property(x, y, (x, y) => {
        expectEqual(exact.exp(add(x, y)), multiply(exact.exp(x), exact.exp(y)))
        if (signOf(x) !== 0 && exponentOf(x) > -40) expectEqual(exact.log(exact.exp(x)), x)
        expectEqual(add(multiply(exact.sin(x), exact.sin(x)), multiply(exact.cos(x), exact.cos(x))), one)
        expectEqual(add(exact.logistic(x), exact.logistic(negate(x))), one)
        expectEqual(add(exact.erfc(x), exact.erfc(negate(x))), whole(2))
        const root = squareRoot(absolute(x))
        if (signOf(x) !== 0) expectEqual(multiply(root, root), absolute(x))
      }),
      { numRuns: 25 },
    )
  })

  it('gives erfc the same value by the series and by the continued fraction', () => {
    for (const x of [4, 4.5, 5, 6]) {
      const difference = subtract(exact.erfc(exactly(x)), subtract(one, exact.erf(exactly(x))))
      expect(exponentOf(difference)).toBeLessThan(-200)
    }
  })

  it('inverts the normal distribution', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: 2 ** -200, max: 0.5 }), (p) => {
        expectEqual(exact.normalDistribution(exact.normalQuantile(exactly(p))), exactly(p))
      }),
      { numRuns: 20 },
    )
  })

  it('holds every number exactly, and rounds back to it', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.double({ noNaN: true, min: -1, max: 1 }),
        (x, y) => {
          expect(toNumber(exactly(x))).toBe(x + 0)
          expect(isLess(exactly(x), exactly(y))).toBe(x < y)
        },
      ),
    )
  })
})

/** The measure of one result, by the fast judge and, in f64, by the exact one. */
const measured = (dtype: FloatType, got: number, truth: number): Measure => {
  const measure = unmeasured()
  if (dtype === 'f64') {
    const special = truth === 0 || !Number.isFinite(truth)
    judgeExactly(measure, 7, got, special ? truth : exactly(truth))
  } else judge(measure, formats[dtype], [7], [got], Float64Array.of(truth))
  return measure
}

describe('an error in ulp', () => {
  it.each<readonly [FloatType, number, number, number]>([
    ['f32', 1, 1 + 2 ** -24, 0.5],
    ['f32', 1 - 2 ** -24, 1, 0.5],
    ['f32', 1, 1 - 2 ** -24, 1],
    ['f32', 2 ** -149, 2 ** -150, 0.5],
    ['f32', 0, 2 ** -150, 0.5],
    ['f32', Infinity, 2 ** 128 - 2 ** 103, 0.5],
    ['f32', Infinity, 1e300, 0],
    ['f32', (2 - 2 ** -23) * 2 ** 127, 1e300, 1],
    ['f16', 65504, 65519, 15 / 32],
    ['f64', 1 + 2 ** -52, 1, 1],
    ['f64', 2 ** -1074, 2 ** -1073, 1],
    ['f64', Infinity, Number.MAX_VALUE, 1],
  ])('in %s of %d for %d is %d', (dtype, got, truth, ulp) => {
    expect(measured(dtype, got, truth).maxUlp).toBe(ulp)
  })

  it.each(['f32', 'f64'] as const)('does not count special results, which are right or wrong: %s', (dtype) => {
    const rightOnes = [
      [NaN, NaN],
      [Infinity, Infinity],
      [-0, -0],
      [0, 0],
    ] as const
    const wrongOnes = [
      [1, NaN],
      [NaN, 1],
      [0, -0],
      [-Infinity, Infinity],
      [1, Infinity],
      [2 ** -149, 0],
      [-1, 1],
      [0, 1],
      [Infinity, 1],
    ] as const
    for (const [got, truth] of rightOnes) expect(measured(dtype, got, truth)).toMatchObject({ wrong: 0, maxUlp: 0 })
    for (const [got, truth] of wrongOnes)
      expect(measured(dtype, got, truth), `${got} for ${truth}`).toMatchObject({ wrong: 1, wrongAt: 7 })
  })
})

describe('the fast oracles', () => {
  const relative = (x: number, truth: Real): number =>
    signOf(truth) === 0 ? Math.abs(x) : Math.abs(toNumber(divide(subtract(exactly(x), truth), truth)))

  it('agree with exact arithmetic to 10⁻¹³', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, min: -12, max: 12 }).filter((x) => Math.abs(x) > 1e-300), // subnormals round

        fc.double({ noNaN: true, min: 2 ** -32, max: 0.5 }),
        (x, p) => {
          expect(relative(fast.erf(x), exact.erf(exactly(x)))).toBeLessThan(1e-13)
          expect(relative(fast.erfc(x), exact.erfc(exactly(x)))).toBeLessThan(1e-13) // e^(−x²) of a rounded x²
          expect(Math.abs(fast.normalQuantile(p) - toNumber(exact.normalQuantile(exactly(p))))).toBeLessThan(2e-13)
        },
      ),
      { numRuns: 50 },
    )
  })

  it.each(scalarFunctions.map((f) => [f.name, f] as const))('of %s are right to 2⁻⁴⁰ for any f32', (_, f) => {
    const sampled = [
      ...fc.sample(fc.float(), { seed: 3, numRuns: 100 }),
      ...fc.sample(fc.float({ min: -110, max: 110 }), { seed: 4, numRuns: 100 }),
    ]
    for (const x of sampled.filter((x) => !(x < (f.from ?? -Infinity)))) {
      const [got, truth] = [f.double(x), exactValue(f, x)]
      if (typeof truth === 'number') expect(got, `at ${x}`).toBe(truth)
      else if (exponentOf(truth) > 128 || exponentOf(truth) < -160)
        expect(Math.abs(got) < 2 ** -150 || Math.abs(got) > 2 ** 128).toBe(true)
      else expect(relative(got, truth), `at ${x}`).toBeLessThan(2 ** -40)
    }
  })
})

describe('accuracy', { timeout: 60_000 }, () => {
  it('is measured on cpu in all three formats', async () => {
    const devices = await openMeasured()
    const forms = devices.filter(({ name }) => name.startsWith('cpu'))
    expect(forms.map(({ dtypes }) => [...dtypes])).toEqual(forms.map(() => ['f16', 'f32', 'f64']))
    expect(forms.length).toBe(2)
  })

  it.each(names)('of %s is within its published bound on every backend', async (name) => {
    const tallies = await accuracySuite({ every: 65537, doubles: 200, only: [name] })
    expect(tallies.length).toBeGreaterThan(0)
    for (const { subject, worst } of tallies) expect(worst, subject).toBeLessThanOrEqual(1)
  })

  it('of a backend without a published bound is an error', () => {
    expect(() => boundOf('abacus', 'exp', 'f32')).toThrow('no bound is published for exp in f32 on abacus')
  })

  it('has a page with a row for every function, in which new rows replace old ones', () => {
    const page = readFileSync(new URL('../../docs/proof/accuracy.md', import.meta.url), 'utf8')
    for (const name of names.filter((name) => name !== 'normal')) expect(page).toContain(`\n| ${name} | `)
    const measure = { ...unmeasured(), inputs: 5, judged: 5, maxUlp: 0.25, worstAt: 1.5, sumUlp: 1 }
    const reading = { name: 'log', device: 'cpu, fused', dtype: 'f32', measure } as const
    const now = updatedPage(page, { scalars: [reading], rows: [], normals: [] })
    const rows = (text: string): readonly string[] => {
      const [, after = ''] = text.split('accuracy: f32 -->')
      const [table = ''] = after.split('end -->')
      return table.split('\n').filter((row) => row.startsWith('| '))
    }
    expect(rows(now).filter((row) => row.startsWith('| log |'))).toEqual([
      '| log | cpu, fused | 5 | 0.2500 | 1.5 | 0.200 | 0 | 0 | 0.50006 |',
    ])
    const others = (text: string): readonly string[] => rows(text).filter((row) => !row.startsWith('| log |'))
    expect(others(now)).toEqual(others(page))
  })
})
