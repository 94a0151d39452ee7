/** Whether something lies at a path. */
import { access } from 'node:fs/promises'

/** Whether a file or a directory lies there, or a link to one. */
export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
