/** Every wrong use that is documented, however the graph is built. */
import { describe } from 'vitest'
import { prove } from './prove.ts'

describe('errors', () => {
  prove('errors', 'a wrong use throws the documented error, directly, under vjp and on every device', { least: 3300 })
})
