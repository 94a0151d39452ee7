/** Families of networks: a configuration's model is a union on `kind`, and runs that name none go on. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  decodeModel,
  factorOf,
  families,
  leastWeightsOf,
  modelOf,
  namesOf,
  sourcesOf,
  withoutDefaults,
} from '../../src/models/registry.ts'
import { print } from '../../src/index.ts'
import { lucidrainsFamily } from '../../src/models/index.ts'
import { E } from '../../src/prelude/fp.ts'
import { zeros } from '../../src/tensor/create.ts'
import { key } from '../../src/tensor/random.ts'
import { countElements, leavesWithPaths } from '../../src/tensor/tree.ts'
import { configHash } from '../../src/train/configHash.node.ts'
import { configOf, decodeConfig, presets } from '../../src/train/index.ts'
import { leftMessage, right, tinySettings } from '../train/tinyRun.ts'

const model = { width: 4, multipliers: [1, 2, 2], heads: 1, headWidth: 4 }

describe('a model of a configuration', () => {
  it('that names no kind is lucidrains’, with the same configuration and hash as one that does', () => {
    const plain = right(configOf({ ...tinySettings, out: 'run' }))
    const named = right(configOf({ ...tinySettings, out: 'run', model: { ...tinySettings.model, kind: 'lucidrains' } }))
    expect(named).toEqual(plain)
    expect(configHash(named)).toBe(configHash(plain))
    expect(right(decodeConfig(JSON.parse(JSON.stringify(plain))))).toEqual(plain)
  })

  it('says the same with dropout and conditions of 0 as without, and another thing with others', () => {
    const hashOf = (more: object, settings: object = {}): string =>
      configHash(
        right(configOf({ ...tinySettings, ...settings, out: 'run', model: { ...tinySettings.model, ...more } })),
      )
    expect(hashOf({ dropout: 0, conditions: 0 })).toBe(hashOf({}))
    expect(
      new Set([hashOf({}), hashOf({ dropout: 0.1 }), hashOf({ conditions: 4 }, { labels: ['a', 'b', 'c', 'd'] })]).size,
    ).toBe(3)
    expect(withoutDefaults({ kind: 'other', dropout: 0 })).toEqual({ kind: 'other', dropout: 0 })
  })

  it('has dropout and conditions in its network', () => {
    const network = modelOf({ ...model, conditions: 2, dropout: 0.5 }, 3)
    const params = network.init(key(0))
    const [, weight] = leavesWithPaths(params).find(([path]) => path === 'time.condition.weight') ?? []
    expect(weight?.shape).toEqual([2, 16])
    const input = { x: zeros([1, 8, 8, 3]).add(0.3), t: zeros([1]), condition: zeros([1, 2]) }
    const graphs = [network.apply(params, input), network.apply(params, input, { train: true, key: key(1) })]
    expect(print(graphs[0])).not.toBe(print(graphs[1]))
    expect(leftMessage(configOf({ out: 'run', model: { ...model, dropout: 1 } }))).toMatch(
      /model.dropout must be a number from 0 to below 1, got 1/,
    )
  })

  it('of an unknown kind says which there are', () => {
    const fault = (got: string) => ({
      expected: 'one of lucidrains, unet2d, edm2, dit, uvit',
      hint: '',
      inside: { path: 'kind', got },
    })
    expect(decodeModel({ ...model, kind: 'gan' })).toEqual(E.left(fault('"gan"')))
    expect(decodeModel({ ...model, kind: 7 })).toEqual(E.left(fault('7')))
    expect(decodeModel({ ...model, kind: null })).toEqual(E.left(fault('null')))
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

describe('a model of a second kind', () => {
  const defaults = { width: 12, multipliers: [1, 2, 3], heads: 3, headWidth: 8 }
  beforeAll(() => Object.assign(families, { second: { ...lucidrainsFamily, name: 'second', defaults } }))
  afterAll(() => Reflect.deleteProperty(families, 'second'))

  const modelOfRun = (given: unknown) => right(configOf({ out: 'run', height: 16, width: 16, model: given })).model

  it('has the defaults of its family where nothing is named, not those of the preset’s model', () => {
    expect(modelOfRun({ kind: 'second' })).toEqual({ kind: 'second', ...defaults })
    expect(modelOfRun({ kind: 'second', heads: 2, width: undefined })).toEqual({
      kind: 'second',
      ...defaults,
      heads: 2,
    })
  })

  it('leaves the preset’s model to runs that name its kind, or none', () => {
    expect(modelOfRun({ kind: 'lucidrains', heads: 2 })).toEqual({ ...presets.tiny.model, heads: 2 })
    expect(modelOfRun({ kind: undefined, heads: 2 })).toEqual({ ...presets.tiny.model, heads: 2 })
    expect(modelOfRun(undefined)).toEqual(presets.tiny.model)
  })

  it('keeps its kind when it is decoded, and stands in the list of kinds', () => {
    expect(decodeModel({ kind: 'second', ...defaults })).toEqual(E.right({ kind: 'second', ...defaults }))
    expect(leftMessage(configOf({ out: 'run', model: { kind: 'third' } }))).toContain(
      'one of lucidrains, unet2d, edm2, dit, uvit, second',
    )
  })
})
