/** Families of networks: a configuration's model is a union on `kind`, and runs that name none go on. */
import { describe, expect, it } from 'vitest'
import { decodeModel, factorOf, leastWeightsOf, modelOf, namesOf, sourcesOf } from '../../src/models/registry.ts'
import { lucidrainsFamily } from '../../src/models/index.ts'
import { E } from '../../src/prelude/fp.ts'
import { zeros } from '../../src/tensor/create.ts'
import { key } from '../../src/tensor/random.ts'
import { countElements } from '../../src/tensor/tree.ts'
import { configHash } from '../../src/train/configHash.node.ts'
import { configOf, decodeConfig } from '../../src/train/index.ts'
import { right, tinySettings } from '../train/tinyRun.ts'

const model = { width: 4, multipliers: [1, 2, 2], heads: 1, headWidth: 4 }

describe('a model of a configuration', () => {
  it('that names no kind is lucidrains’, with the same configuration and hash as one that does', () => {
    const plain = right(configOf({ ...tinySettings, out: 'run' }))
    const named = right(configOf({ ...tinySettings, out: 'run', model: { ...tinySettings.model, kind: 'lucidrains' } }))
    expect(named).toEqual(plain)
    expect(configHash(named)).toBe(configHash(plain))
    expect(right(decodeConfig(JSON.parse(JSON.stringify(plain))))).toEqual(plain)
  })

  it('of an unknown kind says which there are', () => {
    const fault = (got: string) => ({ expected: 'one of lucidrains', hint: '', inside: { path: 'kind', got } })
    expect(decodeModel({ ...model, kind: 'dit' })).toEqual(E.left(fault('"dit"')))
    expect(decodeModel({ ...model, kind: 7 })).toEqual(E.left(fault('7')))
  })

  it('is built for images of any number of channels', () => {
    for (const channels of [1, 3, 4]) {
      const network = modelOf(model, channels)
      const y = network.apply(network.init(key(0)), { x: zeros([1, 8, 8, channels]), t: zeros([1]) })
      expect(y.shape).toEqual([1, 8, 8, channels])
    }
  })

  it('knows what its images must be divisible by, and never counts more weights than there are', () => {
    expect(factorOf(model)).toBe(4)
    expect(leastWeightsOf(model)).toBeLessThanOrEqual(countElements(modelOf(model, 3).init(key(0))))
  })

  it('has the names of its family’s source, and our own', () => {
    expect(sourcesOf(model)).toEqual(['fathom', 'lucidrains'])
    const params = modelOf(model, 3).init(key(0))
    expect(namesOf(model, 'fathom', params)).toEqual({})
    expect(namesOf(model, 'lucidrains', params).rename).not.toHaveLength(0)
  })

  it('has defaults that its family decodes', () => {
    expect(lucidrainsFamily.decode(lucidrainsFamily.defaults)).toEqual(E.right(lucidrainsFamily.defaults))
  })
})
