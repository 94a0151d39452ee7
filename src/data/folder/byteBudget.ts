/**
 * How many bytes of files are held at once. Some formats are only understood whole, and a file may have 1 GiB: eight of
 * them at a time would be the machine's memory.
 */

/** Gives the bytes back. */
export type Release = () => void

/** Waits until `bytes` fit beside what others hold, first come first served. What is larger than all of it goes alone. */
export type ByteBudget = (bytes: number) => Promise<Release>

/** 256 MiB: every photograph, many times. */
export const defaultBudget = 2 ** 28

/** A budget of `limit` bytes. */
export const byteBudget = (limit: number): ByteBudget => {
  let held = 0
  const waiting: { readonly bytes: number; readonly go: () => void }[] = []
  const admit = (): void => {
    for (let next = waiting[0]; next !== undefined && (held === 0 || held + next.bytes <= limit); next = waiting[0]) {
      waiting.shift()
      held += next.bytes
      next.go()
    }
  }
  return (bytes) =>
    new Promise((resolve) => {
      const go = (): void => {
        resolve(() => {
          held -= bytes
          admit()
        })
      }
      waiting.push({ bytes, go })
      admit()
    })
}
