/** Modes: what a module is told of the pass that it is applied in. Children get their parent's, with a key and a state of their own. */
import { foldIn, type Key } from '../tensor/random.ts'
import type { StateScope } from './stateScope.ts'

/** What a mode may say beside. */
export interface ModeFields {
  /** Where modules find their running statistics; `applyWithState` puts it there. */
  readonly state?: StateScope
  /** Anything else, for modules of one's own: every module of the model sees it. */
  readonly [field: string]: unknown
}

/**
 * Whether a module is being trained; dropout draws its mask from the key. A mode may have more fields, which all children see: `{ ...evaluate, temperature: 2 }`
 * is `mode['temperature']` in a module of one's own.
 */
export type Mode = ({ readonly train: false } | { readonly train: true; readonly key: Key }) & ModeFields

/**
 * The mode of sampling and evaluation, and every module's default.
 *
 * @example
 * ```ts
 * import { ones } from 'fathom'
 * import { dropout, evaluate } from 'fathom/nn'
 *
 * dropout(0.9).apply({}, ones([3]), evaluate) // => [1, 1, 1]
 * ```
 */
export const evaluate: Mode = { train: false }

const ofEachChild: readonly string[] = ['train', 'key', 'state']

/** Fields of the user's, not read meanwhile: they may be getters, as the key of a child is. */
const otherFields = (mode: Mode): PropertyDescriptorMap =>
  Object.fromEntries(
    Object.entries(Object.getOwnPropertyDescriptors(mode)).filter(([field]) => !ofEachChild.includes(field)),
  )

/** The mode of the child `name`: its own key, which is derived only when it is asked for. @param steps where its state lies in that of its parent */
export const childMode = (mode: Mode, name: string, steps: readonly string[]): Mode => {
  const state = mode.state === undefined ? undefined : { state: mode.state.child(steps) }
  if (!mode.train)
    return state === undefined ? mode : Object.defineProperties({ train: false, ...state }, otherFields(mode))
  const own = {
    train: true,
    get key() {
      return foldIn(mode.key, name)
    },
  } as const
  return Object.defineProperties(state === undefined ? own : Object.assign(own, state), otherFields(mode))
}
