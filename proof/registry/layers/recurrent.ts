/** Recurrent layers: their oracles go over time with plain numbers. */
import fc from 'fast-check'
import type { Module } from '../../../src/nn/module.ts'
import {
  gru,
  gruCell,
  gruWithState,
  lstm,
  lstmCell,
  lstmWithState,
  type RecurrentParams,
} from '../../../src/nn/index.ts'
import { zeros } from '../../../src/tensor/create.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { elementAt, type NdArray } from '../../array.ts'
import { badShape, one, table, type Entry, type Expected } from '../entry.ts'
import { applied, layer, size, sizeableArrays, type Params } from './module.ts'

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/** The gates' part of a vector: x·W + b. */
const gatesOf = (x: readonly number[], params: Params, part: 'input' | 'hidden'): readonly number[] => {
  const [weight, bias] = [params(`${part}.weight`), params(`${part}.bias`)]
  return Array.from({ length: weight.shape[1] ?? 0 }, (_, j) =>
    x.reduce((sum, v, i) => sum + v * elementAt(weight, [i, j]), elementAt(bias, [j])),
  )
}

/** Vectors of a state: that of an LSTM has a cell. */
interface State {
  readonly h: readonly number[]
  readonly c: readonly number[]
}

type Step = (x: readonly number[], state: State, params: Params) => State

const lstmStep: Step = (x, { h, c }, params) => {
  const hidden = gatesOf(h, params, 'hidden')
  const gates = gatesOf(x, params, 'input').map((v, j) => v + (hidden[j] ?? NaN))
  const gate = (g: number, j: number): number => gates[g * h.length + j] ?? NaN
  const cell = c.map((v, j) => sigmoid(gate(1, j)) * v + sigmoid(gate(0, j)) * Math.tanh(gate(2, j)))
  return { h: cell.map((v, j) => sigmoid(gate(3, j)) * Math.tanh(v)), c: cell }
}

const gruStep: Step = (x, { h, c }, params) => {
  const [input, hidden] = [gatesOf(x, params, 'input'), gatesOf(h, params, 'hidden')]
  const gate = (of: readonly number[], g: number, j: number): number => of[g * h.length + j] ?? NaN
  return {
    c,
    h: h.map((v, j) => {
      const r = sigmoid(gate(input, 0, j) + gate(hidden, 0, j))
      const z = sigmoid(gate(input, 1, j) + gate(hidden, 1, j))
      const n = Math.tanh(gate(input, 2, j) + r * gate(hidden, 2, j))
      return (1 - z) * n + z * v
    }),
  }
}

const row = (x: NdArray | undefined, index: readonly number[], width: number): readonly number[] =>
  Array.from({ length: width }, (_, i) => (x === undefined ? 0 : elementAt(x, [...index, i])))

/** h of each time, [N, T, H]. */
const overTime = (
  step: Step,
  params: Params,
  { x, h, c }: { readonly x: NdArray; readonly h?: NdArray | undefined; readonly c?: NdArray | undefined },
  { hidden, reverse = false }: { readonly hidden: number; readonly reverse?: boolean },
): Expected => {
  const [n = 0, turns = 0, width = 0] = x.shape
  const all = Array.from({ length: n }, (_, sample) => {
    let state: State = { h: row(h, [sample], hidden), c: row(c, [sample], hidden) }
    const rows: (readonly number[])[] = []
    for (let k = 0; k < turns; k++) {
      const t = reverse ? turns - 1 - k : k
      state = step(row(x, [sample, t], width), state, params)
      rows[t] = state.h
    }
    return rows
  })
  return table([n, turns, hidden], ([sample = 0, t = 0, j = 0]) => all[sample]?.[t]?.[j] ?? NaN)
}

const sizes = fc.record({
  n: size(2),
  turns: size(3),
  inputs: size(3),
  hidden: size(2),
  reverse: fc.boolean(),
  checkpoint: fc.boolean(),
})

const given = (x: NdArray | undefined): NdArray => {
  if (x === undefined) throw new Error('the oracle has no input')
  return x
}

/** A layer from a state of zeros. */
const sequence = (make: typeof lstm, step: Step, name: string): Entry =>
  layer(
    sizes,
    ({ n, turns, inputs, hidden, reverse, checkpoint }, dtype) => ({
      layer: make(inputs, hidden, { reverse, checkpoint }),
      inputs: [sizeableArrays([n, turns, inputs], dtype)],
      oracle: (params, x) => overTime(step, params, { x: given(x) }, { hidden, reverse }),
    }),
    {
      errors: [
        badShape(new RegExp(`^${name}: takes a sequence \\[N, T, 3\\], got \\[2,3\\]$`), ['f32[2,3]'], (x) =>
          applied(make(3, 2))(one(x)),
        ),
      ],
    },
  )

/** A layer, or a cell, of an input and a state, as a layer of one result. */
type Stateful = Module<RecurrentParams, readonly Tensor[]>

const stateful = (
  make: (inputs: number, hidden: number) => Stateful,
  step: Step,
  { states, isCell }: { readonly states: 1 | 2; readonly isCell: boolean },
  name: string,
): Entry =>
  layer(
    sizes,
    ({ n, turns, inputs, hidden }, dtype) => ({
      layer: make(inputs, hidden),
      input: (...xs: readonly Tensor[]) => xs,
      inputs: [
        sizeableArrays(isCell ? [n, inputs] : [n, turns, inputs], dtype),
        ...Array.from({ length: states }, () => sizeableArrays([n, hidden], dtype)),
      ],
      oracle: (params, x, h, c) => {
        const sequence = isCell ? { ...given(x), shape: [n, 1, inputs] } : given(x)
        const y = overTime(step, params, { x: sequence, h, c }, { hidden })
        return isCell ? { ...y, shape: [n, hidden] } : y
      },
    }),
    {
      errors: [
        badShape(
          new RegExp(`^${name}(WithState)?: the state is \\[2, 4\\] for this input, got \\[1,4\\]$`),
          ['f32[1,4]'],
          (state) => applied(make(3, 4))([zeros(isCell ? [2, 3] : [2, 1, 3]), one(state), one(state)]),
        ),
      ],
    },
  )

const lstmState = ([, h, c]: readonly Tensor[]): { readonly h: Tensor; readonly c: Tensor } => ({
  h: one(h),
  c: one(c),
})

/** A row for each. */
export const recurrentLayers: {
  readonly [K in 'lstm' | 'lstmCell' | 'lstmWithState' | 'gru' | 'gruCell' | 'gruWithState']: Entry
} = {
  lstm: sequence(lstm, lstmStep, 'lstm'),
  gru: sequence(gru, gruStep, 'gru'),
  lstmCell: stateful(
    (inputs, hidden) => {
      const { init, apply } = lstmCell(inputs, hidden)
      return { init, apply: (params, xs) => apply(params, { x: one(xs[0]), state: lstmState(xs) }).h }
    },
    lstmStep,
    { states: 2, isCell: true },
    'lstmCell',
  ),
  lstmWithState: stateful(
    (inputs, hidden) => {
      const { init, apply } = lstmWithState(inputs, hidden)
      return { init, apply: (params, xs) => apply(params, { x: one(xs[0]), state: lstmState(xs) }).y }
    },
    lstmStep,
    { states: 2, isCell: false },
    'lstm',
  ),
  gruCell: stateful(
    (inputs, hidden) => {
      const { init, apply } = gruCell(inputs, hidden)
      return { init, apply: (params, xs) => apply(params, { x: one(xs[0]), state: one(xs[1]) }) }
    },
    gruStep,
    { states: 1, isCell: true },
    'gruCell',
  ),
  gruWithState: stateful(
    (inputs, hidden) => {
      const { init, apply } = gruWithState(inputs, hidden)
      return { init, apply: (params, xs) => apply(params, { x: one(xs[0]), state: one(xs[1]) }).y }
    },
    gruStep,
    { states: 1, isCell: false },
    'gru',
  ),
}
