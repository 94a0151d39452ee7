/** Every primitive: the table is total, so that a primitive without an entry does not compile. */
import type { OpName } from '../../src/graph/ops.ts'
import type { Entry } from './entry.ts'
import { contractionEntries } from './primitives/contraction.ts'
import { elementwise } from './primitives/elementwise.ts'
import { indexing } from './primitives/indexing.ts'
import { leaves } from './primitives/leaves.ts'
import { loops } from './primitives/loops.ts'
import { movements } from './primitives/movement.ts'
import { reductions } from './primitives/reduction.ts'

/** Name → entry. */
export const primitives: { readonly [K in OpName]: Entry } = {
  ...leaves,
  ...elementwise,
  ...movements,
  ...reductions,
  ...indexing,
  ...contractionEntries,
  ...loops,
}
