/** One meaning for each public name; where the field has two things of one name, which entry has which, and what a mistake is told. */
import { describe, expect, it } from 'vitest'
import * as data from '../../src/data/index.ts'
import * as diffusion from '../../src/diffusion/index.ts'
import * as evaluation from '../../src/evaluation/index.ts'
import * as fathom from '../../src/index.ts'
import * as io from '../../src/io/index.ts'
import * as models from '../../src/models/index.ts'
import * as nn from '../../src/nn/index.ts'
import * as init from '../../src/nn/init/index.ts'
import * as optim from '../../src/optim/index.ts'
import * as train from '../../src/train/index.ts'

const entries: { readonly [name: string]: object } = {
  fathom,
  'fathom/nn': nn,
  'fathom/nn/init': init,
  'fathom/optim': optim,
  'fathom/models': models,
  'fathom/diffusion': diffusion,
  'fathom/io': io,
  'fathom/data': data,
  'fathom/evaluation': evaluation,
  'fathom/train': train,
}

/** The names that stand for different values in different entries, with these entries. */
const ambiguous = (): { readonly [name: string]: string } => {
  const all = Object.entries(entries).flatMap(([entry, exports]) =>
    Object.entries(exports).map(([name, value]: [string, unknown]) => ({ entry, name, value })),
  )
  const found = (name: string) => all.filter((other) => other.name === name)
  return Object.fromEntries(
    all
      .filter(({ name, value }) => found(name).some((other) => other.value !== value))
      .map(({ name }) => [
        name,
        found(name)
          .map(({ entry }) => entry)
          .join(', '),
      ]),
  )
}

describe('a public name', () => {
  it('means one thing, but for operations with a layer of their name, tensors with an initializer, and what samples a run', () => {
    expect(ambiguous()).toEqual({
      attention: 'fathom, fathom/nn',
      conv2d: 'fathom, fathom/nn',
      convTranspose2d: 'fathom, fathom/nn',
      normal: 'fathom, fathom/nn/init',
      ones: 'fathom, fathom/nn/init',
      truncatedNormal: 'fathom, fathom/nn/init',
      uniform: 'fathom, fathom/nn/init',
      zeros: 'fathom, fathom/nn/init',
      sample: 'fathom/diffusion, fathom/train',
    })
  })
})

const image = fathom.zeros([1, 8, 8, 3])
const filter = fathom.zeros([3, 3, 3, 4])
const sequence = fathom.zeros([1, 4, 8])

describe('an operation and the layer of its name', () => {
  it.each<readonly [name: string, call: string, operation: () => unknown, layer: () => unknown]>([
    [
      'conv2d',
      'conv2d(x, filter)',
      () => fathom.conv2d(3 as never, 8 as never, 3 as never),
      () => nn.conv2d(image as never, filter as never, { padding: 1 } as never),
    ],
    [
      'convTranspose2d',
      'convTranspose2d(x, filter)',
      () => fathom.convTranspose2d(3 as never, 8 as never, 3 as never),
      () => nn.convTranspose2d(image as never, filter as never, 1),
    ],
    [
      'attention',
      'attention(query, key, value)',
      () => fathom.attention(8 as never, { heads: 2 } as never, undefined as never),
      () => nn.attention(sequence as never, sequence as never),
    ],
  ])('%s: who takes one for the other is told which entry has which', (name, call, operation, layer) => {
    expect(operation).toThrow(
      `where a tensor is expected: ${call} of fathom computes, and ${name} of fathom/nn makes a layer of sizes`,
    )
    expect(layer).toThrow(
      `${name}: got a tensor where a size is expected: ${name} of fathom/nn makes a layer, which is applied to tensors, and ${call} of fathom computes`,
    )
  })
})

describe('an initializer and the tensor of its name', () => {
  it('a parameter refuses what is no initializer, and names the entry of those', () => {
    expect(() => nn.parameter(fathom.ones([2]) as never)).toThrow(
      'parameter: got a tensor where an initializer is expected, a function of a key: ones([64]) of fathom/nn/init is one, and that of fathom is a tensor',
    )
    expect(() => nn.parameter([2, 3] as never)).toThrow('parameter: got an array where an initializer is expected')
  })
})
