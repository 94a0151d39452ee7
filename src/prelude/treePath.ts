/** Paths in trees: `blocks.0.weight`. */

/** The path of what lies under `key` in the branch at `path`; '' is the whole tree. */
export const joinPath = (path: string, key: string | number): string => (path === '' ? String(key) : `${path}.${key}`)
