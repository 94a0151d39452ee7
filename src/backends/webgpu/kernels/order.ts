/**
 * Elements in order, by merging: blocks of a line are sorted by counting, then neighbouring runs are merged until one is left. Every element finds
 * its place by itself, a merge's by bisection, so no invocation waits for another. Equal ones keep their order.
 */
import { range } from '../../../prelude/array.ts'
import { independent, type Phase } from '../phase.ts'
import type { Target } from '../target.ts'
import type { Pointer, Shader } from '../wgsl/shader.ts'

/** Lines of elements that are sorted, each by itself. */
export interface Sorting {
  readonly lines: number
  readonly length: number
  /** Gives the key of each element of a line, a u32: the smallest is first. Names go in, an expression comes out. */
  readonly keys: (shader: Shader) => (line: string, element: string) => string
  /** Stores that the element of this number comes at this place of the line; by default keys and numbers are kept in scratch memory. */
  readonly store?: (shader: Shader) => (line: string, place: string, element: string) => void
}

/** Phases that sort. */
export interface Ordered {
  readonly phases: readonly Phase[]
  /** Bytes of scratch memory. */
  readonly bytes: number
  /** Where the sorted keys and the numbers of their elements are, line by line, unless they are stored elsewhere. */
  readonly keys: Pointer
  readonly elements: Pointer
}

/** Lines up to the first length are sorted by counting alone: a pass over all is one launch less. Blocks of longer ones have the second. */
const lengths = { gpu: [2048, 256], software: [128, 32] } as const

type Store = (line: string, place: string, key: string, element: string) => void

/** Each element of a block counts those before it. */
const blocks = ({ lines, length, keys }: Sorting, block: number, begin: (shader: Shader) => Store): Phase =>
  independent(lines * length, (shader, turn) => {
    const { main, number } = shader
    const [keyOf, store] = [keys(shader), begin(shader)]
    const [own, size] = [number(length), number(block)]
    main.add(`let line = ${turn} / ${own};`, `let element = ${turn} % ${own};`)
    main.add(`let first = element - element % ${size};`, `let end = min(first + ${size}, ${own});`)
    main.add(`let key = ${keyOf('line', 'element')};`, 'var place = first;')
    main.block('for (var other = first; other < end; other++)', () => {
      main.add(`let another = ${keyOf('line', 'other')};`)
      main.add('if (another < key || (another == key && other < element)) { place++; }')
    })
    store('line', 'place', 'key', 'element')
  })

/** Two neighbouring runs become one: what is in the first comes before what is equal in the second. */
const merge = (
  { lines, length }: Sorting,
  run: number,
  [keysFrom, elementsFrom]: readonly [Pointer, Pointer],
  begin: (shader: Shader) => Store,
): Phase =>
  independent(lines * length, (shader, turn) => {
    const { main, number, address, memory } = shader
    const [keys, elements] = [address(keysFrom), address(elementsFrom)]
    const store = begin(shader)
    const [own, size] = [number(length), number(run)]
    const keyAt = (place: string): string => `${memory(keys)}[${keys.name} + base + ${place}]`
    main.add(`let line = ${turn} / ${own};`, `let at = ${turn} % ${own};`, `let base = line * ${own};`)
    main.add(`let first = at - at % (2u * ${size});`)
    main.add(`let middle = min(first + ${size}, ${own});`, `let end = min(middle + ${size}, ${own});`)
    main.add(`let key = ${keyAt('at')};`, 'let isFirst = at < middle;')
    main.add(
      'let begin = select(first, middle, isFirst);',
      'var low = begin;',
      'var high = select(middle, end, isFirst);',
    )
    main.block('while (low < high)', () => {
      main.add('let half = low + (high - low) / 2u;', `let other = ${keyAt('half')};`)
      main.add('if (other < key || (other == key && !isFirst)) { low = half + 1u; } else { high = half; }')
    })
    // Behind those of its own run that come before it, and those of the other.
    main.add('let place = select(at - middle + first, at, isFirst) + low - begin;')
    store('line', 'place', 'key', `${memory(elements)}[${elements.name} + base + at]`)
  })

/** Sorts lines. @param offset of its scratch memory, in bytes */
export const ordered = (sorting: Sorting, target: Target, offset = 0): Ordered => {
  const { lines, length } = sorting
  const [counted, block] = lengths[target.software ? 'software' : 'gpu']
  const first = length <= counted ? length : block
  const passes = Math.ceil(Math.log2(Math.max(1, length / first)))
  const bytes = 4 * lines * length
  const pieceOf = (pass: number): readonly [Pointer, Pointer] => {
    const begin = offset + 2 * bytes * (pass % 2)
    return [
      { kind: 'scratch', offset: begin },
      { kind: 'scratch', offset: begin + bytes },
    ]
  }
  const storeOf =
    (pass: number) =>
    (shader: Shader): Store => {
      if (pass === passes && sorting.store !== undefined) {
        const store = sorting.store(shader)
        return (line, place, _, element) => {
          store(line, place, element)
        }
      }
      const { main, memory, address, number } = shader
      const [keys, elements] = pieceOf(pass).map(address)
      const own = number(length)
      return (line, place, key, element) => {
        for (const [to, value] of [
          [keys, key],
          [elements, element],
        ] as const)
          if (to !== undefined) main.add(`${memory(to)}[${to.name} + ${line} * ${own} + ${place}] = ${value};`)
      }
    }
  const [keys, elements] = pieceOf(passes)
  return {
    phases: [
      blocks(sorting, first, storeOf(0)),
      ...range(passes).map((pass) => merge(sorting, first * 2 ** pass, pieceOf(pass), storeOf(pass + 1))),
    ],
    bytes: sorting.store !== undefined && passes === 0 ? 0 : 4 * bytes,
    keys,
    elements,
  }
}
