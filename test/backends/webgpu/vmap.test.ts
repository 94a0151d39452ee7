/** vmap on the GPU: contractions, indices, reductions and a layer, beside the same slices one by one. */
import { afterAll, describe, expect, it } from 'vitest'
import { subjects } from '../../../proof/suites/index.ts'
import { checkCases } from '../../../proof/suites/suite.ts'
import { mappedCases, mappedDifference, show } from '../../../proof/suites/vmap.ts'
import { webgpu } from '../../../proof/webgpu.ts'

const candidate = await webgpu()
const gpu = candidate.open()

const tried: ReadonlySet<string> = new Set([
  'primitives dotGeneral',
  'primitives conv',
  'primitives gather',
  'primitives scatterAdd',
  'primitives reduceMax',
  'primitives where',
  'functions softmax',
  'layers linear',
])

afterAll(async () => gpu.close())

describe('vmap on webgpu', () => {
  it.each(subjects.filter(([kind, name]) => tried.has(`${kind} ${name}`)))(
    '%s %s: is the stack of what each slice gives',
    async (_, name, entry) => {
      const tally = await checkCases('vmap', name, mappedCases(entry.cases('f32')), { seed: 1, runs: 4 }, async (c) => {
        const wrong = await mappedDifference(candidate, gpu, (...xs) => [c.build(...xs.slice(0, c.inputs.length))], c)
        if (wrong !== undefined) throw new Error(`${show(c)}: ${wrong}`)
        return { checks: 1, worst: 0 }
      })
      expect(tally.checks).toBe(4)
    },
    60_000,
  )

  it('knows all that it tries', () => {
    expect(subjects.filter(([kind, name]) => tried.has(`${kind} ${name}`))).toHaveLength(tried.size)
  })
})
