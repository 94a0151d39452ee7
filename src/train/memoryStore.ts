/** A store in memory: what a run leaves, without a file. For programs that keep nothing, and for tests. */
import { E, TE } from '../prelude/fp.ts'
import type { CheckpointStore, Store } from './store.ts'
import { trainError } from './trainError.ts'

/** What is in it: bytes by name, and the files of checkpoints by their step. */
export interface MemoryStore extends Store {
  readonly files: Map<string, Uint8Array>
  readonly saved: Map<number, ReadonlyMap<string, Uint8Array>>
}

const checkpointsIn = (saved: MemoryStore['saved']): CheckpointStore => ({
  save: (step, files) =>
    TE.fromIO(() => {
      saved.set(step, files)
      return `checkpoint ${step}`
    }),
  newest: (judge) => async () => {
    const skipped: { readonly name: string; readonly reason: string }[] = []
    for (const [step, files] of [...saved].toSorted(([a], [b]) => b - a)) {
      const checkpoint = { name: `checkpoint ${step}`, step, files }
      const judged = judge(checkpoint)
      if (E.isRight(judged)) return E.right({ ...checkpoint, skipped })
      skipped.push({ name: checkpoint.name, reason: judged.left })
    }
    return E.left(trainError('CKPT', 'nothing is saved'))
  },
  withdraw: (step) => TE.fromIO(() => saved.delete(step)),
})

/**
 * An empty store.
 *
 * @example
 * ```ts
 * import { memoryStore } from 'fathom/train'
 *
 * const store = memoryStore()
 * await store.append('metrics.jsonl', '{"step":1}\n')()
 * await store.append('metrics.jsonl', '{"step":2}\n')()
 * new TextDecoder().decode(store.files.get('metrics.jsonl')) // => '{"step":1}\n{"step":2}\n'
 * ```
 */
export const memoryStore = (): MemoryStore => {
  const files: MemoryStore['files'] = new Map()
  const saved: MemoryStore['saved'] = new Map()
  const text = (name: string): string => new TextDecoder().decode(files.get(name))
  return {
    files,
    saved,
    place: 'memory',
    pathOf: (name) => `memory:${name}`,
    read: (name) => TE.right(files.get(name)),
    replace: (name, bytes) =>
      TE.fromIO(() => {
        files.set(name, bytes)
      }),
    append: (name, line) =>
      TE.fromIO(() => {
        files.set(name, new TextEncoder().encode(`${text(name)}${line}`))
      }),
    sync: () => TE.right(undefined),
    checkpoints: checkpointsIn(saved),
  }
}
