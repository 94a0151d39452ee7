/** Calls that mean nothing are refused by who is called, with what to do; nothing of the engine's own words comes through. */
import { describe, expect, it } from 'vitest'
import * as fathom from '../../src/index.ts'
import { sort as sorted } from '../../src/index.ts'
import * as nn from '../../src/nn/index.ts'
import * as optim from '../../src/optim/index.ts'
import { trainStep } from '../../src/train/index.page.ts'
import { cpuDevice } from '../support/device.ts'

const x = fathom.ones([1, 4, 4, 2])
const bytes = x.cast('u8')
const device = cpuDevice()
const params = { w: fathom.ones([2]) }
const loss = (p: typeof params): fathom.Tensor => p.w.sum()
const step = async (options: object): Promise<unknown> => {
  const training = trainStep({ loss, optimizer: optim.adam(), ...options })
  return training.on(device)(training.init(params), {})
}

/** Anything, where types would object. */
const any = (value: unknown): never => value as never

const calls: readonly (readonly [who: string, call: () => unknown])[] = [
  ['cumsum', () => fathom.cumsum(any(3))],
  ['cumprod', () => fathom.cumprod(any([1, 2]))],
  ['argsort', () => fathom.argsort(any(3))],
  ['sort', () => sorted(any(undefined))],
  ['argmax', () => fathom.argmax(any(3))],
  ['softmax', () => fathom.softmax(any(3))],
  ['logSoftmax', () => fathom.logSoftmax(any(3))],
  ['concatenate', () => fathom.concatenate(any(x), 0)],
  ['stack', () => fathom.stack(any(x))],
  ['gather', () => fathom.gather(any([1, 2]), any([0]))],
  ['oneHot', () => fathom.oneHot(any([1]), 3)],
  ['scan', () => fathom.scan(any(undefined), x, x)],
  [
    'scan',
    () =>
      fathom.scan(
        any(() => x),
        x,
        x,
      ),
  ],
  [
    'scan',
    () =>
      fathom.scan(
        any(() => undefined),
        x,
        x,
      ),
  ],
  ['vmap', () => fathom.vmap(any(undefined))],
  ['vmap', () => fathom.vmap((p: object) => p)({})],
  ['vmap', () => fathom.vmap(nn.lift(fathom.relu).apply)({}, any(undefined))],
  ['customVjp', () => fathom.customVjp(any(3), any(4))],
  [
    'customVjp',
    () =>
      fathom.customVjp(
        any(() => x),
        any(undefined),
      ),
  ],
  ['checkpoint', () => fathom.checkpoint(any(x))],
  ['call', () => fathom.call('name', any(undefined))],
  ['grad', () => fathom.grad(any(undefined))],
  ['valueAndGrad', () => fathom.valueAndGrad(any(x))],
  ['vjp', () => fathom.vjp(any(undefined), x)],
  ['jvp', () => fathom.jvp(any(undefined), [x], [x])],
  ['hvp', () => fathom.hvp(any(undefined), x, x)],
  ['hessian', () => fathom.hessian(any(undefined))],
  ['jacobian', () => fathom.jacobian(any(undefined))],
  ['jacfwd', () => fathom.jacfwd(any(undefined))],
  ['jacrev', () => fathom.jacrev(any(undefined))],
  ['compile', () => device.compile(any(undefined))],
  ['maxPool', () => fathom.maxPool(x, 2, any({ stride: 'two' }))],
  ['maxPool', () => fathom.maxPool(x, 2, any({ stride: {} }))],
  ['maxPool', () => fathom.maxPool(x, any([2]))],
  ['maxPool', () => fathom.maxPool(x, any({ stride: 2 }))],
  ['maxPool', () => fathom.maxPool(x, 2, any({ padding: null }))],
  ['averagePool', () => fathom.averagePool(bytes, 2, { stride: 1 })],
  ['averagePool', () => fathom.averagePool(bytes, 2)],
  ['conv2d', () => fathom.conv2d(x, fathom.ones([1, 1, 2, 1]), any({ stride: 'two' }))],
  ['conv2d', () => fathom.conv2d(x, fathom.ones([1, 1, 2, 1]), { groups: 0 })],
  ['conv2d', () => nn.conv2d(2, 2, 3, { groups: 0 })],
  ['conv2d', () => nn.conv2d(2, 2, any(undefined))],
  ['conv1d', () => nn.conv1d(2, 2, 0)],
  ['conv3d', () => nn.conv3d(2, -1, 3)],
  ['convTranspose2d', () => nn.convTranspose2d(2, 2, any('3'))],
  ['lstm', () => nn.lstm(3, 0)],
  ['gru', () => nn.gru(0, 3)],
  ['gruCell', () => nn.gruCell(any(undefined), 3)],
  ['batchNorm', () => nn.batchNorm(0)],
  ['layerNorm', () => nn.layerNorm(0)],
  ['groupNorm', () => nn.groupNorm(0, 4)],
  ['instanceNorm', () => nn.instanceNorm(1.5)],
  ['rmsNorm', () => nn.rmsNorm(any('4'))],
  ['linear', () => nn.linear(0.5, 3)],
  ['linear', () => nn.linear(3, any(undefined))],
  ['embedding', () => nn.embedding(0, 3)],
  ['multiHeadAttention', () => nn.multiHeadAttention(0)],
  ['transformerBlock', () => nn.transformerBlock(any(undefined))],
  ['spectralNorm', () => nn.spectralNorm(any(undefined))],
  ['dropout', () => nn.dropout(any('half'))],
  ['trainStep', () => trainStep(any(undefined))],
  ['trainStep', () => trainStep(any({ loss }))],
  ['trainStep', () => trainStep(any({ optimizer: optim.adam() }))],
  ['trainStep', () => step({})],
  ['trainStep', () => step({ rate: any('fast') })],
  ['chain', () => optim.chain(any(undefined))],
  ['applyUpdates', () => optim.applyUpdates(params, any(undefined))],
]

const refusal = async (call: () => unknown): Promise<string> => {
  try {
    await call()
    return 'no error'
  } catch (e) {
    return e instanceof Error ? e.message : 'no Error'
  }
}

describe('a call that means nothing', () => {
  it.each(calls)('%s, case %#', async (who, call) => {
    const message = await refusal(call)
    expect(message).toMatch(who)
    expect(message).not.toMatch(/Cannot read|is not a function|is not iterable|Cannot destructure|undefined \(/)
  })
})
