/** Trees and numbers that cannot be meant are errors that say where, and what to do. */
import { describe, expect, it } from 'vitest'
import { accumulate } from '../../src/optim/accumulate.ts'
import { adam, adamW, scaleByAdam } from '../../src/optim/adam.ts'
import { chain } from '../../src/optim/chain.ts'
import { descent } from '../../src/optim/descent.ts'
import { diffusersEmaDecay, emaDecay, emaSchedule, powerEmaDecay, widthOfPower } from '../../src/optim/emaDecay.ts'
import { ema } from '../../src/optim/ema.ts'
import {
  constantRate,
  constantWithWarmup,
  cosineDecay,
  cosineWithRestarts,
  linearDecay,
  piecewiseConstant,
  polynomialDecay,
  type RateOptions,
  type RateSchedule,
} from '../../src/optim/schedules.ts'
import { sgd } from '../../src/optim/sgd.ts'
import { applyUpdates } from '../../src/optim/transform.ts'
import { addDecayedWeights } from '../../src/optim/weightDecay.ts'
import { scalar, zeros } from '../../src/tensor/create.ts'

const params = { w: zeros([2, 3]), b: zeros([3]) }
const others = { w: zeros([3]), b: zeros([3]) }

describe('trees of other parameters', () => {
  const states = [
    ['adam', adam({ learningRate: 1 })],
    ['adamW', adamW({ learningRate: 1 })],
    ['scaleByAdam', scaleByAdam()],
    ['sgd', sgd({ learningRate: 1, momentum: 0.9 })],
  ] as const

  it.each(states)(
    '%s: a state of other shapes, which would broadcast, names leaf, shapes and remedy',
    (name, optimizer) => {
      expect(() => optimizer.update(params, optimizer.init(others) as never, params)).toThrow(
        `${name}: 'w' is [2,3] in the gradients and [3] in the optimizer's state; the optimizer's state was made for other parameters: begin with init(params)`,
      )
    },
  )

  it.each(states)('%s: a state of other leaves', (name, optimizer) => {
    expect(() => optimizer.update(params, optimizer.init({ b: zeros([3]) }) as never, params)).toThrow(
      `${name}: 'w' is missing in the optimizer's state; the optimizer's state was made for other parameters`,
    )
    expect(() => optimizer.update({ b: zeros([3]) }, optimizer.init(params) as never, { b: zeros([3]) })).toThrow(
      `${name}: 'w' is missing in the gradients`,
    )
  })

  it('a chain with the state of another chain', () => {
    const optimizer = chain(addDecayedWeights(0.1), sgd({ learningRate: 1 }))
    expect(() => optimizer.update(params, [{}] as never, params)).toThrow(
      "chain: the state is of 1 transforms, and this chain is of 2; the optimizer's state was made for another optimizer",
    )
    expect(() => optimizer.update(params, {} as never, params)).toThrow('chain: the state is no list')
  })

  it('updates, averages, sums and decays of other shapes', () => {
    expect(() => applyUpdates(params, others)).toThrow(
      "applyUpdates: 'w' is [2,3] in the parameters and [3] in the updates",
    )
    expect(() => ema(0.9, params, others)).toThrow("ema: 'w' is [2,3] in the average and [3] in the parameters")
    expect(() => accumulate(params, others, 2)).toThrow("accumulate: 'w' is [2,3] in the sum and [3] in the gradients")
    expect(() => addDecayedWeights(0.1).update(params, {}, others)).toThrow(
      "addDecayedWeights: 'w' is [2,3] in the updates and [3] in the parameters",
    )
  })
})

describe('numbers that cannot be meant', () => {
  it('a decay outside [0, 1], as a number or as a scalar that the host knows, and one of several elements', () => {
    for (const decay of [2, -0.1, NaN]) {
      expect(() => ema(decay, params, params)).toThrow(`ema: the decay is ${decay}; it must be in [0, 1]`)
      expect(() => ema(scalar(decay, 'f64'), params, params)).toThrow(`ema: the decay is ${decay}`)
    }
    expect(() => ema(zeros([3]), params, params)).toThrow(
      'ema: the decay is a tensor of shape [3]; give a number or a scalar',
    )
  })

  it('a learning rate given with a step that is negative, no number, or of several elements', () => {
    const step = (learningRate: Parameters<typeof scalar>[0]) => () =>
      descent().update(params, {}, params, { learningRate })
    expect(step(NaN)).toThrow('descent: the learning rate is NaN')
    expect(step(-1)).toThrow('descent: the learning rate is -1')
    expect(() => descent().update(params, {}, params, { learningRate: scalar(-1) })).toThrow('the learning rate is -1')
    expect(() => descent().update(params, {}, params, { learningRate: zeros([3]) })).toThrow('a tensor of shape [3]')
  })

  it('options of optimizers that do not exist', () => {
    expect(() => adam({ lr: 1 } as object)).toThrow(
      "adam: there is no option 'lr'; the options are learningRate, beta1, beta2, epsilon",
    )
    expect(() => adamW({ decay: 1 } as object)).toThrow("adamW: there is no option 'decay'")
    expect(() => sgd({ nestrov: true } as object)).toThrow("sgd: there is no option 'nestrov'")
    expect(() => adam({ epsilon: NaN })).toThrow('adam: epsilon is NaN')
  })
})

describe('schedules that give no rate', () => {
  const schedules = { linearDecay, cosineDecay, cosineWithRestarts, polynomialDecay }
  const good: RateOptions = { learningRate: 1, warmupSteps: 2, steps: 10 }
  const bad: readonly (readonly [string, object, string])[] = [
    ['a warm-up longer than all steps', { warmupSteps: 20 }, '20 warmupSteps are more than all 10 steps'],
    ['a negative warm-up', { warmupSteps: -1 }, 'warmupSteps is -1; it must be a whole number ≥ 0'],
    ['half a step of warm-up', { warmupSteps: 0.5 }, 'warmupSteps is 0.5'],
    ['no steps', { steps: 0 }, 'steps is 0; it must be a whole number ≥ 1'],
    ['steps that are no number', { steps: NaN }, 'steps is NaN'],
    ['steps left out', { steps: undefined }, 'steps is undefined'],
    ['half steps', { steps: 10.5 }, 'steps is 10.5'],
    ['a rate that is no number', { learningRate: NaN }, 'learningRate is NaN; it must be a finite number ≥ 0'],
    ['a negative rate', { learningRate: -1 }, 'learningRate is -1'],
    ['an option that does not exist', { lr: 1 }, "there is no option 'lr'"],
  ]

  it.each(Object.entries(schedules))('%s refuses them by name', (name, make) => {
    for (const [, given, message] of bad) expect(() => make({ ...good, ...given })).toThrow(`${name}: ${message}`)
  })

  it('options of one schedule alone', () => {
    expect(() => cosineDecay({ ...good, cycles: NaN })).toThrow('cosineDecay: cycles is NaN')
    expect(() => cosineWithRestarts({ ...good, cycles: 1.5 })).toThrow('cosineWithRestarts: cycles is 1.5')
    expect(() => polynomialDecay({ ...good, power: 0 })).toThrow('polynomialDecay: power is 0')
    expect(() => polynomialDecay({ ...good, end: -1 })).toThrow('polynomialDecay: end is -1')
    expect(() => constantRate(NaN)).toThrow('constantRate: the learning rate is NaN')
    expect(() => constantWithWarmup({ learningRate: 1, warmupSteps: -3 })).toThrow(
      'constantWithWarmup: warmupSteps is -3',
    )
    const pieces =
      (...until: readonly number[]) =>
      () =>
        piecewiseConstant(
          1,
          until.map((step) => ({ until: step, factor: 1 })),
          0,
        )
    expect(pieces(10, 10)).toThrow('piecewiseConstant: two pieces end at step 10')
    expect(pieces(NaN)).toThrow('piecewiseConstant: until is NaN')
    expect(() => piecewiseConstant(1, [{ until: 3, factor: -1 }], 0)).toThrow('piecewiseConstant: factor is -1')
  })

  it('a step that is negative or no number is refused by every schedule', () => {
    const made: readonly RateSchedule[] = [
      ...Object.values(schedules).map((make) => make(good)),
      constantRate(1),
      constantWithWarmup({ learningRate: 1, warmupSteps: 0 }),
      piecewiseConstant(1, [{ until: 3, factor: 0.5 }], 0.1),
    ]
    for (const rate of made)
      for (const step of [-1, NaN, Infinity]) expect(() => rate(step)).toThrow(`the step is ${step}; it must be`)
  })

  it('after the last step the rate stays what it was there', () => {
    for (const make of Object.values(schedules)) {
      const rate = make(good)
      expect([rate(11), rate(15), rate(1000)]).toEqual([rate(10), rate(10), rate(10)])
    }
  })

  it('decays of an average: bounds, counts and options', () => {
    expect(() => emaDecay({ beta: 1.5 })).toThrow('emaDecay: beta is 1.5; it must be in [0, 1]')
    expect(() => emaDecay({ minValue: 0.99, beta: 0.9 })).toThrow('emaDecay: minValue is 0.99, above beta, 0.9')
    expect(() => emaDecay({ updateAfterStep: -1 })).toThrow('emaDecay: updateAfterStep is -1')
    expect(() => emaDecay({ invGamma: 0 })).toThrow('emaDecay: invGamma is 0')
    expect(() => emaDecay({ decay: 0.9 } as object)).toThrow("emaDecay: there is no option 'decay'")
    expect(() => emaDecay()(NaN)).toThrow('the number of the update is NaN')
    expect(() => diffusersEmaDecay({ decay: NaN })).toThrow('diffusersEmaDecay: decay is NaN')
    expect(() => emaSchedule({ updateEvery: 1.5 })).toThrow('emaSchedule: updateEvery is 1.5')
    expect(() => powerEmaDecay({ width: 0.3 })).toThrow('the width is 0.3, and must be above 0 and at most 0.2887')
    expect(() => powerEmaDecay({ width: NaN })).toThrow('the width is NaN')
    expect(() => powerEmaDecay({ sigma: 0.1 } as never)).toThrow("powerEmaDecay: there is no option 'sigma'")
    expect(() => powerEmaDecay({ width: 0.1 })(0)).toThrow('the number of the update is 0')
    expect(() => widthOfPower(-1)).toThrow('widthOfPower: gamma is -1')
  })
})
