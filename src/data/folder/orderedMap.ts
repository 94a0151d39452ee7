/**
 * An asynchronous map that runs a few at a time and hands out results in the order of its inputs: what a packed file
 * needs.
 */

/**
 * Calls `f` on every item, at most `concurrency` at once, and yields the results in order. No more than `concurrency`
 * results wait.
 * When one call rejects, the others that already run are awaited, then its error is thrown.
 */
export async function* orderedMap<A, B>(
  items: readonly A[],
  concurrency: number,
  f: (item: A, index: number) => Promise<B>,
): AsyncGenerator<B, void, void> {
  const running: Promise<B>[] = []
  let next = 0
  const fill = (): void => {
    while (running.length < concurrency && next < items.length) {
      const call = f(items[next] as A, next)
      call.catch(() => undefined) // awaited below; this only keeps Node from calling it unhandled in the meantime
      running.push(call)
      next++
    }
  }
  try {
    for (fill(); running.length > 0; fill()) {
      const first = running.shift()
      if (first !== undefined) yield await first
    }
  } finally {
    await Promise.allSettled(running)
  }
}
