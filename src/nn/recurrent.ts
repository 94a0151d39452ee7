/** What recurrent layers share: parameters, the projection of all inputs at once, and the loop over time. */
import { requireKnown } from '../prelude/options.ts'
import { at } from '../prelude/array.ts'
import { ShapeError, typeError } from '../prelude/errors.ts'
import { showShape } from '../graph/shape.ts'
import { zeros } from '../tensor/create.ts'
import { foldIn, type Key } from '../tensor/random.ts'
import type { Rename } from '../tensor/nameMap.ts'
import { scan, type ScanOptions } from '../tensor/scan.ts'
import { expectTensor } from '../tensor/expect.ts'
import { Tensor } from '../tensor/tensor.ts'
import { asActivation } from './activation.ts'
import { expectSizes } from './expectSizes.ts'
import { uniform } from './init.ts'
import type { LinearParams } from './linear.ts'
import type { Module } from './module.ts'
import { requireSequence } from './requireSequence.ts'

/** What the input and the hidden state are projected with to all gates, which stand side by side: weights [in, G·H] and [H, G·H], biases [G·H]. */
export interface RecurrentParams {
  readonly input: LinearParams
  readonly hidden: LinearParams
}

/** How a recurrent layer goes over time. */
export interface RecurrentOptions extends Pick<ScanOptions, 'checkpoint'> {
  /** Whether it begins with the last time; the results stay in the order of the times. */
  readonly reverse?: boolean
  /** Whether biases are added (default true). */
  readonly bias?: boolean
}

/** A sequence, and the state in front of its first time: of zeros where there is none. */
export interface RecurrentInput<S> {
  /** [N, T, in] */
  readonly x: Tensor
  readonly state?: S
}

/** What a recurrent layer makes of a sequence: the hidden state of all times, [N, T, H], and the state behind the last one. */
export interface RecurrentOutput<S> {
  readonly y: Tensor
  readonly state: S
}

/** Parameters as PyTorch begins them: all of them U(±1/√H). */
const recurrentParams = (name: string, inputs: number, hidden: number, gates: number, options: RecurrentOptions) => {
  requireKnown(name, options, ['checkpoint', 'reverse', 'bias'])
  const { bias = true } = options
  expectSizes(name, { inputWidth: inputs, hiddenWidth: hidden })
  const part = (key: Key, width: number): LinearParams => {
    const begin = (shape: readonly number[], what: string): Tensor => uniform(shape, hidden ** -0.5)(foldIn(key, what))
    const weight = begin([width, gates * hidden], 'weight')
    return bias ? { weight, bias: begin([gates * hidden], 'bias') } : { weight }
  }
  return (key: Key): RecurrentParams => ({
    input: part(foldIn(key, 'input'), inputs),
    hidden: part(foldIn(key, 'hidden'), hidden),
  })
}

/** x·W + b. */
export const projected = ({ weight, bias }: LinearParams, x: Tensor): Tensor => {
  const y = x.matmul(weight)
  return bias === undefined ? y : y.add(bias)
}

/** Refuses a state of another size: it would be broadcast. */
const expectState = (name: string, x: Tensor, batch: number, hidden: number): void => {
  expectTensor(`${name}: the state`, x)
  if (x.rank !== 2 || at(x.shape, 0) !== batch || at(x.shape, 1) !== hidden)
    throw new ShapeError(`${name}: the state is [${batch}, ${hidden}] for this input, got ${showShape(x.shape)}`)
}

/** Input of a cell, and of a layer at one time. */
const expectStep = (name: string, x: Tensor, inputs: number): void => {
  if (!(x instanceof Tensor)) throw typeError(`${name}: takes { x, state }, x the input of one time [N, ${inputs}]`)
  if (x.rank !== 2 || at(x.shape, 1) !== inputs)
    throw new ShapeError(`${name}: takes the input of one time, [N, ${inputs}], got ${showShape(x.shape)}`)
}

/**
 * A loop over time. What the input adds to the gates does not depend on the state: it is one product for all times.
 *
 * @param step the next state from this one and the input's part of the gates, [N, G·H]; its hidden part
 */
const overTime = <S>(
  name: string,
  { input }: RecurrentParams,
  { x, state }: { readonly x: Tensor; readonly state: S },
  step: (state: S, gates: Tensor) => readonly [S, Tensor],
  { reverse = false, checkpoint = false }: RecurrentOptions,
): RecurrentOutput<S> => {
  requireSequence(name, x, at(input.weight.shape, 0))
  const gates = projected(input, x.transpose([1, 0, 2]))
  const [last, hs] = scan(step, state, gates, { reverse, checkpoint })
  return { y: hs.transpose([1, 0, 2]), state: last }
}

/** What makes one kind of recurrent layer another, with a state `S`. */
export interface Recurrence<S> {
  readonly gates: number
  /** A state each of whose tensors is this one, [N, H]. */
  readonly stateOf: (x: Tensor) => S
  readonly tensorsOf: (state: S) => readonly Tensor[]
  /** The next state from this one and the input's part of the gates, [N, G·H]; its hidden part. */
  readonly step: (params: RecurrentParams) => (state: S, gates: Tensor) => readonly [S, Tensor]
}

/** The state that is given, or one of zeros. */
const stateFor = <S>(
  name: string,
  { stateOf, tensorsOf }: Recurrence<S>,
  { x, state }: RecurrentInput<S>,
  hidden: number,
): S => {
  const batch = at(x.shape, 0)
  if (state === undefined) return stateOf(zeros([batch, hidden], x.dtype))
  for (const part of tensorsOf(state)) expectState(name, part, batch, hidden)
  return state
}

/** One step of a recurrence: the input of one time [N, in] and the state in front of it to the next state. @param name what errors call it */
export const recurrentCell = <S>(
  name: string,
  recurrence: Recurrence<S>,
  inputWidth: number,
  hiddenWidth: number,
  options: Pick<RecurrentOptions, 'bias'>,
): Module<RecurrentParams, RecurrentInput<S>, S> => ({
  init: recurrentParams(name, inputWidth, hiddenWidth, recurrence.gates, options),
  apply: (params, input) => {
    expectStep(name, input.x, inputWidth)
    const state = stateFor(name, recurrence, input, hiddenWidth)
    return asActivation(recurrence.step(params)(state, projected(params.input, input.x))[0])
  },
})

/** A recurrence over a sequence, from the state in front of it to the one behind it. @param name what errors call it */
export const recurrentLayer = <S>(
  name: string,
  recurrence: Recurrence<S>,
  inputWidth: number,
  hiddenWidth: number,
  options: RecurrentOptions,
): Module<RecurrentParams, RecurrentInput<S>, RecurrentOutput<S>> => {
  const { gates, step } = recurrence
  return {
    init: recurrentParams(name, inputWidth, hiddenWidth, gates, options),
    apply: (params, input) => {
      const state = stateFor(name, recurrence, input, hiddenWidth)
      return asActivation(overTime(name, params, { x: input.x, state }, step(params), options))
    },
  }
}

/** The layer from a state of zeros, without the state behind the last time. */
export const withoutState = <S>({
  init,
  apply,
}: Module<RecurrentParams, RecurrentInput<S>, RecurrentOutput<S>>): Module<RecurrentParams> => ({
  init,
  apply: (params, x) => apply(params, { x }).y,
})

/**
 * PyTorch's names of the parameters of one layer of `nn.LSTM` and `nn.GRU`, for a map of names (`fathom/io`); with its axes, `torchLayouts`,
 * they are the same numbers. Its cells have the names without `_l0`.
 *
 * @param layer of a stack of layers
 * @param reverse whether it is the backward one of a bidirectional layer
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { placesOf, torchLayouts } from 'fathom/io'
 * import { lstm, torchRecurrent } from 'fathom/nn'
 *
 * const places = placesOf(lstm(3, 5).init(key(0)), { rename: torchRecurrent(), layout: torchLayouts })
 * places.map((place) => place.name) // => ['bias_hh_l0', 'weight_hh_l0', 'bias_ih_l0', 'weight_ih_l0']
 * places.at(-1)?.shape // => [20, 3]
 * ```
 */
export const torchRecurrent = (layer = 0, reverse = false): readonly Rename[] => {
  const end = `_l${layer}${reverse ? '_reverse' : ''}`
  return [
    { suffix: 'input.weight', to: `weight_ih${end}` },
    { suffix: 'input.bias', to: `bias_ih${end}` },
    { suffix: 'hidden.weight', to: `weight_hh${end}` },
    { suffix: 'hidden.bias', to: `bias_hh${end}` },
  ]
}
