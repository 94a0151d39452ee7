/** Long short-term memory, Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000, as PyTorch's nn.LSTM. */
import { at } from '../prelude/array.ts'
import { splitInto } from '../tensor/combine.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Module } from './module.ts'
import {
  projected,
  recurrentCell,
  recurrentLayer,
  withoutState,
  type Recurrence,
  type RecurrentInput,
  type RecurrentOptions,
  type RecurrentOutput,
  type RecurrentParams,
} from './recurrent.ts'

/** The hidden state and the cell, [N, H] each. */
export interface LstmState {
  readonly h: Tensor
  readonly c: Tensor
}

const gateCount = 4

/** The next state, from the input's part of the gates. */
const step =
  ({ hidden }: RecurrentParams) =>
  ({ h, c }: LstmState, gates: Tensor): readonly [LstmState, Tensor] => {
    const parts = splitInto(gates.add(projected(hidden, h)), gateCount, -1)
    const [i, f, g, o] = [at(parts, 0), at(parts, 1), at(parts, 2), at(parts, 3)]
    // c' = σ(f) ⊙ c + σ(i) ⊙ tanh g, h' = σ(o) ⊙ tanh c'
    const cell = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()))
    const next = { h: o.sigmoid().mul(cell.tanh()), c: cell }
    return [next, next.h]
  }

const recurrence: Recurrence<LstmState> = {
  gates: gateCount,
  stateOf: (x) => ({ h: x, c: x }),
  tensorsOf: ({ h, c }) => [h, c],
  step,
}

/** What a cell is given: the input of one time [N, in], and the state in front of it, of zeros where there is none. */
export interface LstmCellInput {
  readonly x: Tensor
  readonly state?: LstmState
}

/**
 * One step of an LSTM, as PyTorch's `nn.LSTMCell`: `[N, in]` and a state to the next state, whose `h` is the output. The gates stand in PyTorch's
 * order: input, forget, cell, output.
 *
 * @throws ShapeError for an input or a state of another size
 * @example
 * ```ts
 * import { key, ones } from 'fathom'
 * import { lstmCell } from 'fathom/nn'
 *
 * const cell = lstmCell(3, 2)
 * const first = cell.apply(cell.init(key(0)), { x: ones([1, 3]) })
 * cell.apply(cell.init(key(0)), { x: ones([1, 3]), state: first }).h.shape // => [1, 2]
 * ```
 */
export const lstmCell = (
  inputWidth: number,
  hiddenWidth: number,
  options: Pick<RecurrentOptions, 'bias'> = {},
): Module<RecurrentParams, LstmCellInput, LstmState> =>
  recurrentCell('lstmCell', recurrence, inputWidth, hiddenWidth, options)

/**
 * An LSTM that takes the state in front of a sequence and gives the one behind it: a long sequence can be gone through in parts. Its parameters are those
 * of {@link lstm}.
 *
 * @throws ShapeError for what is no sequence [N, T, in], or a state that is not [N, H]
 * @example
 * ```ts
 * import { key, normal } from 'fathom'
 * import { lstmWithState } from 'fathom/nn'
 *
 * const layer = lstmWithState(3, 2)
 * const params = layer.init(key(0))
 * const x = normal(key(1), [1, 6, 3])
 * const first = layer.apply(params, { x: x.slice([], [0, 4]) })
 * const second = layer.apply(params, { x: x.slice([], [4, 6]), state: first.state })
 * second.state.h.sub(layer.apply(params, { x }).state.h).abs().max().less(1e-6) // => true
 * ```
 */
export const lstmWithState = (
  inputWidth: number,
  hiddenWidth: number,
  options: RecurrentOptions = {},
): Module<RecurrentParams, RecurrentInput<LstmState>, RecurrentOutput<LstmState>> =>
  recurrentLayer('lstmWithState', recurrence, inputWidth, hiddenWidth, options)

/**
 * Long short-term memory over a sequence, `[N, T, in] → [N, T, H]`, from a state of zeros, as one layer of PyTorch's `nn.LSTM(batch_first=True)`:
 *
 *     [i f g o] = x·W + b + h·U + d,  c ← σ(f) ⊙ c + σ(i) ⊙ tanh g,  h ← σ(o) ⊙ tanh c
 *
 * with `input.weight` W, `input.bias` b, `hidden.weight` U and `hidden.bias` d ({@link torchRecurrent} has PyTorch's names of them). It is one `scan`,
 * whatever T is. (Hochreiter & Schmidhuber 1997; Gers et al. 2000.)
 *
 * @throws ShapeError for what is no sequence [N, T, in]
 * @example
 * ```ts
 * import { key, ones } from 'fathom'
 * import { lstm } from 'fathom/nn'
 *
 * const layer = lstm(3, 5)
 * layer.apply(layer.init(key(0)), ones([2, 10, 3])).shape // => [2, 10, 5]
 * ```
 */
export const lstm = (
  inputWidth: number,
  hiddenWidth: number,
  options: RecurrentOptions = {},
): Module<RecurrentParams> => withoutState(recurrentLayer('lstm', recurrence, inputWidth, hiddenWidth, options))
