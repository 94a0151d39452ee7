/** A backend in search of the first value that is not finite: the specification, which looks at every value that it computes. */
import { at } from '../../prelude/array.ts'
import { recordOrigins } from '../../graph/origin.ts'
import type { Plan } from '../../compiler/plan.ts'
import type { Backend, Check } from '../backend.ts'
import { interpretedBackend } from './backend.ts'
import { interpret } from './interpret.ts'
import { watch } from './nonFinite.ts'

/** The checked backend in the place of the one called `name`. While it is open, every node notes where it is made. */
export const checkedBackend = (name: string, check: Check): Backend => {
  const stop = recordOrigins()
  const backend = interpretedBackend((plan: Plan, inputs) => {
    const watching = watch(check)
    plan.program.parameters.forEach((p, i) => {
      watching.observe(p, at(inputs, i), [])
    })
    const results = interpret(plan.program, inputs, watching.observe)
    watching.requireFinite(plan.program.outputs)
    return results
  })
  return {
    ...backend,
    name: `${name}, checked`,
    description: `${name}, checked for values that ${check === 'nan' ? 'are NaN' : 'are not finite'}: every primitive by the specification, one at a time`,
    close: () => {
      stop()
      return backend.close()
    },
  }
}
