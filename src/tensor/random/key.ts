/**
 * Keys: how independent random streams are named.
 *
 * A key is a value. Using it twice gives the same numbers twice; `split` and `foldIn` make new keys from it, each a Threefry block of
 * its own. Source: Claessen & Pałka, "Splittable pseudorandom number generators using cryptographic hashing", Haskell 2013; the
 * interface is that of JAX.
 */
import { range } from '../../prelude/array.ts'
import { DTypeError, ShapeError } from '../../prelude/errors.ts'
import { threefry2x32 } from '../../prelude/threefry.ts'
import { makeNode } from '../../graph/node.ts'
import { showShape } from '../../graph/shape.ts'
import { call } from '../annotate.ts'
import { constant, iota, scalar, tensor } from '../create.ts'
import { Tensor } from '../tensor.ts'
import { inDType } from '../tracedNumber.ts'
import { purposes, requireKey, threefryWord, type Key } from './threefry.ts'

/**
 * The key of a seed, as data: another seed runs the same plan.
 *
 * @param seed a safe integer ≥ 0; its high and low 32 bits are the two words (as in `hostKey`)
 * @throws RangeError for any other seed
 *
 * @example
 * ```ts
 * import { key } from 'fathom'
 *
 * key(42) // => [0, 42]
 * key(-1) // throws RangeError: key: seed -1 is not an integer in [0, 2^53): pass a non-negative safe integer
 * ```
 */
export const key = (seed: number): Key => {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new RangeError(`key: seed ${seed} is not an integer in [0, 2^53): pass a non-negative safe integer`)
  return tensor(new Uint32Array([Math.floor(seed / 2 ** 32), seed >>> 0]), { copy: false })
}

/**
 * `n` independent keys. Child i depends on the key and on i, not on n; `const [a, b] = split(key)`.
 *
 * @returns n keys, each u32 [2]
 *
 * @example
 * ```ts
 * import { key, normal, split } from 'fathom'
 *
 * const [weights, noise] = split(key(0))
 * normal(weights, [2]) // => [-0.188, -0.176]
 * normal(noise, [2]) // => [0.168, -0.736]
 * ```
 */
export const split = <N extends number = 2>(parent: Key, n?: N): Keys<N> => {
  const count: number = n ?? 2
  if (!Number.isInteger(count) || count < 1)
    throw new RangeError(`split: cannot make ${count} keys; ask for a whole number ≥ 1`)
  const words = (k: Key): Tensor =>
    threefryWord(k, purposes.split, iota([count, 2], 0, 'u32'), iota([count, 2], 1, 'u32'))
  const children = call('split', words)(parent)
  return range(count).map((i) => children.slice([i, i + 1]).reshape([2])) as Keys<N>
}

/** `N` keys: a pair for 2, so that destructuring needs no check; a list for a count that is known at run time. */
export type Keys<N extends number> = number extends N ? readonly Key[] : KeyTuple<N>

type KeyTuple<N extends number, T extends readonly Key[] = readonly []> = T['length'] extends N
  ? T
  : T['length'] extends 16
    ? readonly Key[]
    : KeyTuple<N, readonly [...T, Key]>

/**
 * The child of a key that belongs to `data`.
 *
 * - a number is data (a step, an epoch; it equals `hostFold` of the same number): another number runs the same plan. A compiled function folds
 *   numbers that it is given as arguments; one that is written in it is part of it;
 * - a string is part of the program (the name of a layer), by its FNV-1a hash;
 * - a scalar i32 or u32 tensor is folded by its 32 bits, as the number would be.
 *
 * @throws RangeError if a number is not an integer in [0, 2³²)
 * @throws ShapeError, DTypeError if a tensor is not a scalar i32 or u32
 *
 * @example
 * ```ts
 * import { foldIn, key, normal } from 'fathom'
 *
 * const layer = foldIn(key(0), 'conv1') // by name: part of the program
 * const step = foldIn(key(0), 7) // by number: data
 * normal(layer, [2]) // => [0.076, -0.301]
 * normal(step, [2]) // => [0.111, -1.077]
 * ```
 */
export const foldIn = (parent: Key, data: number | string | Tensor): Key => {
  requireKey(parent)
  if (typeof data === 'string')
    return (
      foldOnHost(parent, purposes.name, fnv1a(data)) ??
      fold(parent, purposes.name, constant(fnv1a(data), { dtype: 'u32' }))
    )
  if (data instanceof Tensor) return fold(parent, purposes.fold, scalarBits(data))
  if (!Number.isInteger(data) || data < 0 || data >= 2 ** 32)
    throw new RangeError(`foldIn: ${data} is not an integer in [0, 2^32): fold a larger number in two parts`)
  return foldOnHost(parent, purposes.fold, data) ?? fold(parent, purposes.fold, scalar(data, 'u32'))
}

/** The child of a key whose words the host has: a loop that folds its step into a key makes no graph, and computes nothing on a device. */
const foldOnHost = ({ node }: Key, purpose: number, low: number): Key | undefined => {
  if (node.op !== 'buffer' || node.attrs.source.kind !== 'host' || node.dtype !== 'u32' || node.shape[0] !== 2)
    return undefined
  const [k0 = 0, k1 = 0] = node.attrs.source.values
  const values = Uint32Array.from(threefry2x32([k0, k1], [purpose, low]))
  return new Tensor(makeNode('buffer', { source: { kind: 'host', values, from: node }, shape: [2], dtype: 'u32' }, []))
}

const fold = (parent: Key, purpose: number, low: Tensor): Key => {
  const child = (k: Key, x: Tensor): Key => threefryWord(k, purpose, x.broadcastTo([2]), iota([2], 0, 'u32'))
  return call('foldIn', child)(parent, low)
}

const scalarBits = (x: Tensor): Tensor => {
  if (x.rank !== 0) throw new ShapeError(`foldIn: takes a scalar, got ${showShape(x.shape)}`)
  if (x.dtype === 'u32') return x
  const number = inDType(x.node, 'u32') // one that a compiled function was given
  if (number !== x.node) return new Tensor(number)
  if (x.dtype !== 'i32') throw new DTypeError(`foldIn: takes i32 or u32, got ${x.dtype}; cast it first`)
  return x.bitcast('u32')
}

/** The UTF-8 bytes of a code point (RFC 3629, section 3). */
const utf8 = (c: number): readonly number[] => {
  const tail = (shift: number): number => 0x80 | ((c >> shift) & 0x3f)
  if (c < 0x80) return [c]
  if (c < 0x800) return [0xc0 | (c >> 6), tail(0)]
  return c < 0x10000 ? [0xe0 | (c >> 12), tail(6), tail(0)] : [0xf0 | (c >> 18), tail(12), tail(6), tail(0)]
}

/** The 32-bit FNV-1a hash of a text's UTF-8 bytes (Fowler, Noll, Vo; IETF draft-eastlake-fnv): an integer in [0, 2³²). */
export const fnv1a = (text: string): number =>
  [...text]
    .flatMap((c) => utf8(c.codePointAt(0) ?? 0))
    .reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193), 0x811c9dc5 | 0) >>> 0
