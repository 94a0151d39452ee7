/** The names that the page for people who know PyTorch or JAX says are fathom's: each is exported, or is a member of what it is called on. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as fathom from '../../src/index.ts'
import * as data from '../../src/data/index.ts'
import * as io from '../../src/io/index.ts'
import * as models from '../../src/models/index.ts'
import * as nn from '../../src/nn/index.ts'
import * as init from '../../src/nn/init/index.ts'
import * as optim from '../../src/optim/index.ts'
import * as train from '../../src/train/index.ts'
import { root } from './pages.ts'

const exported = new Set([fathom, data, io, models, nn, init, optim, train].flatMap((entry) => Object.keys(entry)))

/** Rows of tables of three columns of names: [PyTorch, JAX, fathom, remark]. */
const rows = readFileSync(join(root, 'docs/coming-from-pytorch.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| PyTorch'))
  .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))

const members = (value: object): readonly string[] =>
  value instanceof fathom.Tensor
    ? Object.getOwnPropertyNames(fathom.Tensor.prototype)
    : [...Object.keys(value), ...Object.getOwnPropertyNames(Object.getPrototypeOf(value))]

describe('names for people who know PyTorch or JAX', async () => {
  const device = await fathom.openDevice('cpu')
  const compiled = device.compile((x: fathom.Tensor) => x.add(1))
  const optimizer = optim.sgd({ learningRate: 1 })
  const owners: Readonly<Record<string, object>> = {
    x: fathom.zeros([1]),
    model: nn.linear(1, 1),
    precisions: fathom.precisions,
    c: fathom.zeros([1]),
    device,
    optimizer,
    step: compiled,
  }

  it('has a hundred rows', () => expect(rows.length).toBeGreaterThan(80))

  it.each(rows.map((row) => [row[1] ?? '', row[3] ?? '']))('%s is %s', (_, ours) => {
    const spans = [...ours.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span)
    expect(spans.length, 'names of fathom in the third column').toBeGreaterThan(0)
    for (const span of spans) {
      const code = span.replaceAll(/'[^']*'/g, '')
      const called = [...code.matchAll(/(?<![.\w])([a-z]\w*)(?=\()/gi)].map(([, name = '']) => name)
      const alone = /^[a-z]\w*$/i.test(code) ? [code] : []
      for (const name of [...called, ...alone]) expect(exported, `${span}: ${name}`).toContain(name)
      for (const [, owner = '', member = ''] of code.matchAll(/(?<![.\w])([a-z]\w*)\.([a-z]\w*)/gi)) {
        if (owner === 'p') continue // a leaf in an arrow function
        expect(members(owners[owner] ?? {}), `${span}: ${owner}.${member}`).toContain(member)
      }
    }
  })
})
