/** Loops of which nobody knows how long they take: a compiled turn, run until a condition that is computed with it no longer holds. */
import { ShapeError, typeError } from '../prelude/errors.ts'
import { whatIs } from '../prelude/mistaken.ts'
import { requireKnown } from '../prelude/options.ts'
import { showShape } from '../graph/shape.ts'
import { requireSameCarry } from './carry.ts'
import type { Device } from './device.ts'
import { Tensor } from './tensor.ts'
import { leaves, refill } from './tree.ts'

/** A loop: it goes on while `while` holds, and `do` makes the next state. */
export interface WhileLoop<S> {
  /** A bool scalar: whether there is another turn from this state. */
  readonly while: (state: S) => Tensor
  /** The next state: of the same structure, shapes and dtypes. */
  readonly do: (state: S) => S
  /** Turns after which it is an error that the loop has not ended; none unless it is given. */
  readonly limit?: number
  /**
   * How many turns run before the condition is read (default 1): reading waits for a GPU. Turns that come too many change nothing, and cost as much
   * as others.
   */
  readonly every?: number
}

const requireCondition = (go: unknown): Tensor => {
  if (!(go instanceof Tensor))
    throw typeError(`whileLoop: the condition must be a bool scalar tensor, it is ${whatIs(go)}`)
  if (go.rank !== 0 || go.dtype !== 'bool')
    throw new ShapeError(
      `whileLoop: the condition must be a bool scalar, it is ${go.dtype}${showShape(go.shape)}: compare, and take any or all of it`,
    )
  return go
}

const requireCount = (name: string, n: number): void => {
  if (!(n === Infinity || Number.isInteger(n)) || n < 1)
    throw new RangeError(`whileLoop: ${name} is a whole number of turns from 1 on, got ${n}`)
}

/** One turn, which leaves a state alone for which the condition does not hold. */
const turnOf =
  <S>(loop: WhileLoop<S>) =>
  (state: S, go: Tensor): readonly [S, Tensor] => {
    const next = loop.do(state)
    requireSameCarry('whileLoop', 'the state', state, next)
    const before = leaves(state)
    const kept = leaves(next).map((x, i) => go.select(x, before[i] ?? x))
    return [refill(state, kept), go.and(requireCondition(loop.while(next)))]
  }

/**
 * `do` again and again, while `while` holds: a loop whose length depends on what it computes. A turn is compiled once, for each structure and shapes of
 * a state, and the states take each other's places in memory. It has no gradient: for that there is `scan`, whose length is known, or a function with a
 * derivative of its own (`customVjp`).
 *
 * @returns a function of the first state, which stays as it is; it gives the last one
 * @throws ShapeError where the state does not stay what it is, or the condition is no bool scalar
 * @throws RangeError where the loop has not ended after `limit` turns
 * @example
 * ```ts
 * import { scalar, tensor, whileLoop, type Tensor } from 'fathom'
 *
 * // Newton's method for the square roots of numbers, until no digit changes
 * const roots = whileLoop(device, {
 *   while: ({ step }: { readonly x: Tensor; readonly step: Tensor; readonly of: Tensor }) => step.greater(1e-6),
 *   do: ({ x, of }) => {
 *     const next = x.add(of.div(x)).mul(0.5)
 *     return { x: next, of, step: next.sub(x).abs().max() }
 *   },
 *   limit: 100,
 * })
 * const { x } = await roots({ x: tensor([1, 1, 1]), of: tensor([4, 9, 2]), step: scalar(1) })
 * x // => [2, 3, 1.4142]
 * ```
 */
export const whileLoop = <S>(device: Device, loop: WhileLoop<S>): ((init: S) => Promise<S>) => {
  requireKnown('whileLoop', loop, ['while', 'do', 'limit', 'every'])
  if (typeof loop.while !== 'function' || typeof loop.do !== 'function')
    throw typeError(
      'whileLoop: while and do are functions of the state: { while: (s) => s.less(10), do: (s) => s.add(1) }',
    )
  const { limit = Infinity, every = 1 } = loop
  requireCount('limit', limit)
  requireCount('every', every)
  const begin = device.compile((state: S): readonly [S, Tensor] => [state, requireCondition(loop.while(state))]) // results are never aliases
  const turn = device.compile(turnOf(loop), { donate: [0, 1] })
  return async (init) => {
    let [state, go] = await begin(init)
    for (let turns = 0; (await device.read(go))[0] === 1; turns = Math.min(turns + every, limit)) {
      if (turns >= limit) {
        device.release([state, go])
        throw new RangeError(
          `whileLoop: the loop has not ended after ${turns} turns, its limit: is its condition ever false, also of NaN?`,
        )
      }
      for (let i = 0; i < Math.min(every, limit - turns); i++) [state, go] = await turn(state, go)
    }
    device.release(go)
    return state
  }
}
