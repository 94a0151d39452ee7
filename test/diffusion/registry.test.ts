/** Samplers by name: each reaches what the network knows, on levels of any spacing and curve, and the page that names them is complete. */
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { stepsOf } from '../../src/diffusion/levels.ts'
import { isSamplerName, samplerNamed, samplers, type WalkLevels } from '../../src/diffusion/samplers/registry.ts'
import { linearSchedule } from '../../src/diffusion/index.ts'
import { range } from '../../src/prelude/array.ts'
import { sample } from '../../src/diffusion/sample.ts'
import { openDevice } from '../../src/index.ts'
import type { Device } from '../../src/tensor/device.ts'
import { key, normal } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../support/device.ts'
import { estimating, walk } from './walks.ts'

const names = Object.keys(samplers).filter(isSamplerName)
const schedule = linearSchedule(60)
const ways: readonly WalkLevels[] = [
  {},
  { spacing: 'leading' },
  { spacing: 'trailing' },
  { spacing: 'linspace' },
  { sigmas: 'karras' },
  { sigmas: 'exponential' },
  { sigmas: 'beta' },
]

describe('samplers by name', () => {
  it.each(names)('%s reaches data that is one point, by any spacing and along any curve', async (name) => {
    const { everyStep } = samplers[name]
    for (const way of everyStep ? [{}] : ways)
      await samplerNamed(
        name,
        schedule,
        everyStep ? 60 : 7,
        way,
      )(async (sampler) => {
        const noises = range(stepsOf(sampler.levels)).map((i) => normal(key(i), [1, 2], 'f64'))
        const estimate = estimating(sampler.levels, 'x0', (x) => x.mul(0).sub(0.5))
        const found = await walk(sampler, normal(key(8), [1, 2], 'f64'), estimate, { noises })
        for (const value of found.at(-1) ?? []) expect(value).toBeCloseTo(-0.5, 9)
      })
  })

  it('ddpm, which makes every step, takes no spacing', () => {
    expect(() => samplerNamed('ddpm', schedule, 60, { spacing: 'leading' })).toThrow(
      'it takes no spacing and no sigmas',
    )
    expect(() => samplerNamed('ddim', schedule, 6, { steps: 3 } as never)).toThrow("there is no option 'steps'")
  })

  it('the page on samplers has a row for each, with what it is and its class in diffusers', async () => {
    const page = await readFile(new URL('../../docs/20-samplers.md', import.meta.url), 'utf8')
    const rows = names.map((name) => {
      const { about, diffusers } = samplers[name]
      return `| \`${name}\` | ${about} | ${diffusers === undefined ? '–' : `\`${diffusers}\``} |`
    })
    expect(page).toContain(rows.join('\n'))
  })
})

describe('on other backends', () => {
  it.each(['unipc-3', 'pndm', 'dpm-solver-sde', 'dpm2-ancestral', 'lms'] as const)(
    '%s draws on wasm what it draws on cpu',
    async (name) => {
      const way: WalkLevels = name === 'pndm' ? {} : { sigmas: 'karras' }
      const network = (_: object, x: Tensor, t: Tensor): Tensor =>
        x
          .mul(0.5)
          .tanh()
          .add(t.cast('f32').reshape([-1, 1]).div(900))
      const drawn = async (device: Device): Promise<number[]> =>
        samplerNamed(
          name,
          schedule,
          8,
          way,
        )(async (sampler) => {
          const clip = { ratio: 0.9, most: 2 }
          const options = { device, denoise: network, prediction: 'v' as const, sampler, shape: [3, 16], clip }
          return values((await sample({ ...options, params: {}, key: key(4) })).x, device)
        })
      const wasm = await openDevice('wasm')
      const [one, other] = [await drawn(cpuDevice()), await drawn(wasm)]
      await wasm.close()
      one.forEach((x, i) => expect(x).toBeCloseTo(other[i] ?? NaN, 4))
    },
  )
})
