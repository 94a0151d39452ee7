/** The table of parameters. */
import { expect, it } from 'vitest'
import { describe, linear, sequential } from '../../src/nn/index.ts'
import { zeros } from '../../src/tensor/create.ts'

it('describe: a line for each parameter, aligned, and the total', () => {
  expect(describe({ weight: zeros([4, 1000]), bias: zeros([10]) })).toBe(
    [
      'path    shape      count',
      'bias    [10]          10',
      'weight  [4, 1000]  4,000',
      'total              4,010',
    ].join('\n'),
  )
})

it('describe: takes a model as well, and names nested parameters by their path', () => {
  expect(
    describe(sequential({ hidden: linear(2, 3), out: linear(3, 1) }))
      .split('\n')
      .map((line) => line.split(' ')[0]),
  ).toEqual(['path', 'hidden.bias', 'hidden.weight', 'out.bias', 'out.weight', 'total'])
})
