/**
 * The loops of control.ts, run in every order in which threads can be given time: the trees that become WebAssembly are read as they are,
 * and every state that threads can come to is visited once (a model checker, as SPIN is: Holzmann 1997, "The model checker SPIN").
 */
import { Exploration, Wrong } from './threadModel.ts'
import { copied, keyOf, type Model, type State } from './threadState.ts'

/** What exploring came to. */
export interface Explored {
  readonly states: number
  /** What can go wrong, and the last steps of a way there. */
  readonly wrong?: string
  readonly steps?: readonly string[]
}

/** Visits every state. */
export const explore = (model: Model): Explored => {
  const exploration = new Exploration(model)
  const begin = exploration.begin()
  const seen = new Set([keyOf(begin)])
  const pending: { readonly state: State; readonly steps: Steps }[] = [{ state: begin, steps: undefined }]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { state, steps } = next
    const ready = state.threads.flatMap((_, i) => (exploration.enabled(state, i) ? [i] : []))
    const wrong = ready.length === 0 ? exploration.wrongEnd(state) : undefined
    if (wrong !== undefined) return { states: seen.size, wrong, steps: written(steps) }
    for (const i of ready) {
      const after = copied(state)
      const taken = { step: () => exploration.describe(state, i), before: steps }
      try {
        exploration.step(after, i)
      } catch (error) {
        if (error instanceof Wrong) return { states: seen.size, wrong: error.message, steps: written(taken) }
        throw error
      }
      const key = keyOf(after)
      if (seen.has(key)) continue
      seen.add(key)
      pending.push({ state: after, steps: taken })
    }
  }
  return { states: seen.size }
}

type Steps = { readonly step: () => string; readonly before: Steps } | undefined

/** The last thirty steps, the oldest first. */
const written = (steps: Steps): readonly string[] => {
  const last: string[] = []
  for (let s = steps; s !== undefined && last.length < 30; s = s.before) last.unshift(s.step())
  return last
}
