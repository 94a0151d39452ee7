/**
 * Waiting for a GPU without working: Dawn on Node asks again and again whether something has come, at each turn of the loop of events, by the global
 * `setImmediate`. Where a program plays the GPU, that takes from it the core that it computes on. Here Dawn asks some times at once, then each
 * millisecond: test/backends/webgpu took twice as much of the processor without it.
 */
const turn = globalThis.setImmediate

/** Milliseconds after which a question is a new one; how often it is asked at once. */
const [pause, eager] = [5, 30]

const asked = { at: 0, turns: 0 }

const patient = <A extends readonly unknown[]>(again: (...values: A) => void, ...values: A): unknown => {
  const now = performance.now()
  asked.turns = now - asked.at > pause ? 0 : asked.turns + 1
  asked.at = now
  return asked.turns < eager ? turn(again, ...values) : setTimeout(again, 1, ...values)
}

Object.assign(globalThis, { setImmediate: patient })
