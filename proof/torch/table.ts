/** THE table: every subject of the golden values, and the function of fathom that it stands for. */
import { contractions } from './contractions.ts'
import { elementwise } from './elementwise.ts'
import { layers } from './layers.ts'
import { losses } from './losses.ts'
import { neural } from './neural.ts'
import type { Rows } from './row.ts'
import { shapes } from './shapes.ts'
import { training } from './training.ts'
import { transforms } from './transforms.ts'
import { vocabulary } from './vocabulary.ts'

/** Subject → function. */
export const table: Rows = {
  ...elementwise,
  ...shapes,
  ...contractions,
  ...losses,
  ...layers,
  ...neural,
  ...training,
  ...transforms,
  ...vocabulary,
}
