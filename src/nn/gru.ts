/** Gated recurrent units, Cho et al. 2014, with the reset gate behind the product, as PyTorch's nn.GRU and cuDNN have them. */
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

const gateCount = 3

const gatesOf = (x: Tensor): readonly [Tensor, Tensor, Tensor] => {
  const parts = splitInto(x, gateCount, -1)
  return [at(parts, 0), at(parts, 1), at(parts, 2)]
}

/** The next state, from the input's part of the gates. */
const step =
  ({ hidden }: RecurrentParams) =>
  (h: Tensor, gates: Tensor): readonly [Tensor, Tensor] => {
    const [xr, xz, xn] = gatesOf(gates)
    const [hr, hz, hn] = gatesOf(projected(hidden, h))
    const r = xr.add(hr).sigmoid()
    const z = xz.add(hz).sigmoid()
    const n = xn.add(r.mul(hn)).tanh()
    const next = n.add(z.mul(h.sub(n))) // h' = (1 − z) ⊙ n + z ⊙ h
    return [next, next]
  }

const recurrence: Recurrence<Tensor> = {
  gates: gateCount,
  stateOf: (h) => h,
  tensorsOf: (h) => [h],
  step,
}

/**
 * One step of a GRU, as PyTorch's `nn.GRUCell`: `[N, in]` and a state `[N, H]` to the next state, which is the output. The gates stand in PyTorch's
 * order: reset, update, new.
 *
 * @throws ShapeError for an input or a state of another size
 * @example
 * ```ts
 * import { key, ones } from 'fathom'
 * import { gruCell } from 'fathom/nn'
 *
 * const cell = gruCell(3, 2)
 * const first = cell.apply(cell.init(key(0)), { x: ones([1, 3]) })
 * cell.apply(cell.init(key(0)), { x: ones([1, 3]), state: first }).shape // => [1, 2]
 * ```
 */
export const gruCell = (
  inputWidth: number,
  hiddenWidth: number,
  options: Pick<RecurrentOptions, 'bias'> = {},
): Module<RecurrentParams, RecurrentInput<Tensor>> =>
  recurrentCell('gruCell', recurrence, inputWidth, hiddenWidth, options)

/**
 * A GRU that takes the state in front of a sequence, [N, H], and gives the one behind it. Its parameters are those of {@link gru}.
 *
 * @throws ShapeError for what is no sequence [N, T, in], or a state that is not [N, H]
 * @example
 * ```ts
 * import { key, ones } from 'fathom'
 * import { gruWithState } from 'fathom/nn'
 *
 * const layer = gruWithState(3, 2)
 * const { y, state } = layer.apply(layer.init(key(0)), { x: ones([1, 6, 3]), state: ones([1, 2]) })
 * y.slice([], [5, 6]).reshape([1, 2]).equal(state) // => [[true, true]]
 * ```
 */
export const gruWithState = (
  inputWidth: number,
  hiddenWidth: number,
  options: RecurrentOptions = {},
): Module<RecurrentParams, RecurrentInput<Tensor>, RecurrentOutput<Tensor>> =>
  recurrentLayer('gruWithState', recurrence, inputWidth, hiddenWidth, options)

/**
 * Gated recurrent units over a sequence, `[N, T, in] → [N, T, H]`, from a state of zeros, as one layer of PyTorch's `nn.GRU(batch_first=True)`:
 *
 *     [xr xz xn] = x·W + b,  [hr hz hn] = h·U + d
 *     r = σ(xr + hr),  z = σ(xz + hz),  n = tanh(xn + r ⊙ hn),  h ← (1 − z) ⊙ n + z ⊙ h
 *
 * with `input.weight` W, `input.bias` b, `hidden.weight` U and `hidden.bias` d ({@link torchRecurrent} has PyTorch's names of them). It is one `scan`,
 * whatever T is. (Cho et al. 2014.)
 *
 * @throws ShapeError for what is no sequence [N, T, in]
 * @example
 * ```ts
 * import { key, ones } from 'fathom'
 * import { gru } from 'fathom/nn'
 *
 * const layer = gru(3, 5)
 * layer.apply(layer.init(key(0)), ones([2, 10, 3])).shape // => [2, 10, 5]
 * ```
 */
export const gru = (inputWidth: number, hiddenWidth: number, options: RecurrentOptions = {}): Module<RecurrentParams> =>
  withoutState(recurrentLayer('gru', recurrence, inputWidth, hiddenWidth, options))
