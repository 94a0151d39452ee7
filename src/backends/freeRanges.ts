/** The free parts of an address space that a backend hands out: a training step frees what the next one allocates. */

/** Free ranges. */
export interface FreeRanges {
  /** A range is free. */
  readonly give: (address: number, size: number) => void
  /** Takes a range of this size out of the smallest free one that has room; undefined where none has. */
  readonly take: (size: number) => number | undefined
}

type BySize = Map<number, number[]>

const give = (free: BySize, size: number, address: number): void => {
  const known = free.get(size)
  if (known === undefined) free.set(size, [address])
  else known.push(address)
}

/** Joins free ranges that touch. */
const join = (free: BySize): void => {
  const ranges = [...free].flatMap(([size, addresses]) => addresses.map((address) => ({ address, size })))
  free.clear()
  let open = { address: 0, size: 0 }
  for (const range of ranges.toSorted((a, b) => a.address - b.address)) {
    if (open.address + open.size === range.address) open = { address: open.address, size: open.size + range.size }
    else {
      if (open.size > 0) give(free, open.size, open.address)
      open = range
    }
  }
  if (open.size > 0) give(free, open.size, open.address)
}

/** Takes a range out of the smallest free one that has room; the rest stays free. */
const takeFrom = (free: BySize, size: number): number | undefined => {
  let best = Infinity
  for (const [candidate, addresses] of free)
    if (candidate >= size && candidate < best && addresses.length > 0) best = candidate
  const address = free.get(best)?.pop()
  if (address !== undefined && best > size) give(free, best - size, address + size)
  return address
}

/** No free ranges yet. */
export const freeRanges = (): FreeRanges => {
  const free: BySize = new Map()
  return {
    give: (address, size) => {
      give(free, size, address)
    },
    take: (size) => {
      const same = free.get(size)?.pop()
      if (same !== undefined) return same
      join(free)
      return takeFrom(free, size)
    },
  }
}
