/** The fuzzer finds a planted bug, shrinks it to the primitive that has it, and prints a test that shows it. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { asSubject, configuration, differences, duality, transparency, type Check } from '../../proof/fuzz/checks.ts'
import { steepSine } from '../../proof/fuzz/operations/annotated.ts'
import { primitivesOf, printTest } from '../../proof/fuzz/print.ts'
import { fuzz, type Failure } from '../../proof/fuzz/run.ts'
import { shrinkGraph } from '../../proof/fuzz/shrink.ts'
import { customVjp } from '../../src/tensor/annotate.ts'
import { tensor } from '../../src/tensor/create.ts'
import type { Node } from '../../src/graph/ops.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { buggy, type BugName } from './planted.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

const firstFailure = async (name: BugName): Promise<Failure> => {
  const report = await fuzz({ seed: 3, programs: 200, configurations: [buggy(name)], failures: 1 })
  const [failure] = report.failures
  if (failure === undefined) throw new Error(`the fuzzer did not find the wrong ${name}`)
  return failure
}

/** Whether each of the printed tests passes, run by vitest in a folder of its own. */
const outcomes = async (tests: Readonly<Record<string, string>>): Promise<Readonly<Record<string, boolean>>> => {
  const folder = await mkdtemp(join(tmpdir(), 'fuzz-'))
  try {
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
    await Promise.all(
      Object.entries(tests).map(([name, code]) =>
        writeFile(join(folder, `${name}.test.ts`), code.replaceAll("from '../../", `from '${root}`)),
      ),
    )
    const json = await new Promise<string>((resolve) => {
      const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', folder, '--reporter', 'json']
      execFile(process.execPath, args, { cwd: folder }, (_, stdout) => {
        resolve(stdout)
      })
    })
    const { testResults } = JSON.parse(json.slice(json.indexOf('{'))) as {
      readonly testResults: readonly {
        readonly name: string
        readonly assertionResults: readonly { readonly status: string }[]
      }[]
    }
    return Object.fromEntries(
      Object.keys(tests).map((name) => {
        const results = testResults.find((r) => r.name.endsWith(`${name}.test.ts`))?.assertionResults ?? []
        if (results.length !== 1) throw new Error(`${name}: the printed test did not load:\n${json}`)
        return [name, results[0]?.status === 'passed']
      }),
    )
  } finally {
    await rm(folder, { recursive: true })
  }
}

describe('a planted bug', () => {
  it('is found, shrunk to the guilty primitives, and shown by the printed test, which passes without the bug', async () => {
    const [sine, sum, pair] = [await firstFailure('sine'), await firstFailure('sum'), await firstFailure('pair')]
    expect(sine.primitives).toEqual(['sin'])
    expect(sum.primitives).toEqual(['reduceSum'])
    expect(pair.primitives).toEqual(['mul', 'add'])
    const data = [sine, sum, pair].map(({ code }) => code.match(/tensor\(.*\)/g))
    expect(data).toEqual([
      ["tensor([2], { shape: [], dtype: 'f64' })"],
      null, // of what the program makes itself
      ['tensor([0], { shape: [] })'],
    ])
    const repaired = (code: string): string =>
      code
        .replace(/buggy\('\w+'\)/, "configuration('cpu, fused')")
        .replace('import { agreement }', 'import { agreement, configuration }')
    expect(
      await outcomes({
        sine: sine.code,
        sum: sum.code,
        pair: pair.code,
        sineRepaired: repaired(sine.code),
        sumRepaired: repaired(sum.code),
        pairRepaired: repaired(pair.code),
      }),
    ).toEqual({ sine: false, sum: false, pair: false, sineRepaired: true, sumRepaired: true, pairRepaired: true })
  }, 60_000)

  it('is looked for in a configuration that a printed test finds by its name', () => {
    expect(configuration('cpu, fused').name).toBe('cpu, fused')
    expect(() => configuration('abacus')).toThrow("there is no configuration 'abacus'")
  })

  it('is a bug or a rounding as the tolerance says', async () => {
    const run = async (tolerance?: Readonly<Record<string, number>>): Promise<number> => {
      const configurations = [buggy('fma', tolerance)]
      return (await fuzz({ seed: 5, programs: 60, configurations, failures: 1 })).failures.length
    }
    expect([await run(), await run({ f32: 1e-4, f64: 1e-4, f16: 1e-2 })]).toEqual([1, 0])
  }, 60_000)
})

const f64 = (...values: readonly number[]): Tensor => tensor(values, { dtype: 'f64' })

const shrunk = async (check: Check, outputs: readonly Tensor[]): Promise<readonly Node[]> => {
  const fails = async (nodes: readonly Node[]): Promise<boolean> => {
    const { f, inputs } = asSubject(nodes)
    return (await check.run(f, inputs)) !== undefined
  }
  return (
    await shrinkGraph(
      outputs.map((x) => x.node),
      fails,
    )
  ).outputs
}

describe('the laws', () => {
  const [x, y] = [f64(0.3, -1.2, 0.7), f64(1.1, 0.2, -0.4)]

  it('a derivative that is not that of its function differs from differences, and is shrunk to the call that has it', async () => {
    const graph = await shrunk(differences, [x.mul(y).tanh(), steepSine(x.exp()).mul(y).add(x).sum()])
    expect(primitivesOf(graph)).toEqual(['call'])
    expect(printTest(graph, differences)).toContain('const b = steepSine(a)')
    expect(printTest(graph, differences)).toContain('expect(await differences.run(f, inputs)).toBeUndefined()')
  })

  it('a pullback that is not linear is not the adjoint of the derivative', async () => {
    const crooked = customVjp(
      (a: Tensor) => a.sin(),
      ([a], g): [Tensor] => [g.mul(a.cos()).mul(g.stopGradient().add(1))],
    )
    const f = (a: Tensor): readonly Tensor[] => [crooked(a)]
    await expect(duality.run(f, [x])).rejects.toThrow('not linear in its cotangent')
    expect(await duality.run((a) => [steepSine(a)], [x])).toBeUndefined()
  })

  it('a name in a call is transparent, a rule in a call is not replaced', async () => {
    const f = (a: Tensor): readonly Tensor[] => [steepSine(a).mul(a)]
    expect(await transparency.run(f, [x])).toBeUndefined()
  })

  it('a failure that needs what ran before it is not shrunk', async () => {
    await expect(shrunk(differences, [x.sin()])).rejects.toThrow('does not fail on its own')
  })
})
