/** Threefry as a graph against the published vectors and the host's cipher; keys and what is made of them. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { at, range } from '../../src/prelude/array.ts'
import { hostFold, hostKey, threefry2x32 as onHost, type Words } from '../../src/prelude/threefry.ts'
import { iota, scalar, tensor, zeros } from '../../src/tensor/create.ts'
import { bernoulli, bits, foldIn, key, normal, randint, split, uniform } from '../../src/tensor/random.ts'
import { fnv1a } from '../../src/tensor/random/key.ts'
import { purposes, threefry2x32, type Key } from '../../src/tensor/random/threefry.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, cpuForms, values } from '../support/device.ts'

const device = cpuDevice()
const read = (x: Tensor): Promise<number[]> => values(x, device)
const seeds = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const words = fc.tuple(fc.nat({ max: 0xffffffff }), fc.nat({ max: 0xffffffff }))
const keyOf = (k: Words): Key => tensor(new Uint32Array(k))

describe.each(cpuForms)('threefry2x32 on cpu, %s', (_, open) => {
  it.each([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344],
      [0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ] as const)('gives the published answer for key %j and counter %j', async (k, [high, low], answer) => {
    const d = open()
    const pair = threefry2x32(keyOf(k), high, scalar(low, 'u32'))
    expect([...(await values(pair[0], d)), ...(await values(pair[1], d))]).toEqual(answer)
  })

  it('equals the host for any key and counters', async () => {
    const d = open()
    await fc.assert(
      fc.asyncProperty(words, words, async (k, [high, low]) => {
        const counters = iota([3], 0, 'u32').add(scalar(low, 'u32'))
        const [a, b] = threefry2x32(keyOf(k), high, counters)
        const host = [0, 1, 2].map((i) => onHost(k, [high, (low + i) >>> 0]))
        expect(await values(a, d)).toEqual(host.map((w) => w[0]))
        expect(await values(b, d)).toEqual(host.map((w) => w[1]))
      }),
      { numRuns: 20 },
    )
  })
})

describe('key', () => {
  it('holds both halves of the seed, as hostKey does', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        expect(await read(key(seed))).toEqual(hostKey(seed))
      }),
    )
  })

  it.each([-1, 0.5, NaN, 2 ** 53])('refuses the seed %d and says what to pass', (seed) => {
    expect(() => key(seed)).toThrow(/key: seed .* pass a non-negative safe integer/)
  })

  it('is data: one plan serves all seeds, and a key captured by a compiled function throws', async () => {
    const traced: Key[] = []
    const draw = device.compile((k: Key) => {
      traced.push(k)
      return bits(k, [4])
    })
    expect(await read(await draw(key(1)))).toEqual(await read(bits(key(1), [4])))
    expect(await read(await draw(key(2)))).toEqual(await read(bits(key(2), [4])))
    expect(traced.length).toBe(1)
    const captured = key(1)
    await expect(
      (async () => device.compile((x: Tensor) => bits(captured, [4]).add(x))(zeros([4], 'u32')))(),
    ).rejects.toThrow()
  })

  it('must be u32 of two words', () => {
    expect(() => bits(tensor([1, 2]), [1])).toThrow(/a key is u32, got f32; make one with key\(seed\)/)
    expect(() => bits(tensor(new Uint32Array(4), { shape: [2, 2] }), [1])).toThrow(
      /a key is one pair of words, \[2\], got \[2,2\]/,
    )
  })
})

describe('bits', () => {
  it('is word i mod 2 of block ⌊i / 2⌋', async () => {
    const host = Array.from({ length: 7 }, (_, i) => onHost(hostKey(9), [0, i >> 1])[(i % 2) as 0 | 1])
    expect(await read(bits(key(9), [7]))).toEqual(host)
  })

  it('begins anywhere: a part of the stream is drawn without what comes before it', async () => {
    const from = scalar(3, 'u32')
    const parts = [
      [bits(key(3), [7]), bits(key(3), [4], from)],
      [normal(key(3), [7]), normal(key(3), [4], 'f32', from)],
      [uniform(key(3), [7]), uniform(key(3), [4], { start: from })],
      [randint(key(3), [7], -5, 9), randint(key(3), [4], -5, 9, from)],
      [bernoulli(key(3), 0.5, [7]).cast('i32'), bernoulli(key(3), 0.5, [4], from).cast('i32')],
      [bernoulli(key(3), scalar(0.5), [7]).cast('i32'), bernoulli(key(3), scalar(0.5), [4], from).cast('i32')],
    ] as const
    for (const [whole, part] of parts) expect(await read(part)).toEqual((await read(whole)).slice(3))
  })

  it('depends on the index only: a longer tensor begins with the shorter one, whatever the shapes', async () => {
    const long = await read(bits(key(3), [5, 11]))
    for (const shape of [[], [1], [2, 3], [3, 1, 5]]) {
      const short = await read(bits(key(3), shape))
      expect(short).toEqual(long.slice(0, short.length))
    }
  })

  it('changes half of its bits when one bit of the key changes', async () => {
    const base = await read(bits(keyOf([0, 0]), [64]))
    for (const k of [
      [1, 0],
      [0x80000000, 0],
      [0, 1],
      [0, 0x80000000],
    ] as const) {
      const other = await read(bits(keyOf(k), [64]))
      const flipped = base.reduce(
        (sum, x, i) => sum + ((x ^ (other[i] ?? 0)) >>> 0).toString(2).replaceAll('0', '').length,
        0,
      )
      expect(Math.abs(flipped - 1024)).toBeLessThan(4 * Math.sqrt(2048 / 4))
    }
  })
})

describe('split', () => {
  it('gives child i the block of counter i, whatever the number of children', async () => {
    const [a, b] = split(key(5))
    const three = split(key(5), 3)
    expect(await Promise.all([a, b].map(read))).toEqual([0, 1].map((i) => onHost(hostKey(5), [purposes.split, i])))
    expect((await Promise.all(three.map(read))).slice(0, 2)).toEqual(await Promise.all([a, b].map(read)))
  })

  it('shares no block with the stream or the children by number and by name', async () => {
    const parent = key(5)
    const derived = [...split(parent, 40), ...range(40).flatMap((i) => [foldIn(parent, i), foldIn(parent, `${i}`)])]
    const blocks = await read(bits(parent, [80]))
    const stream = range(40).map((i) => keyOf([at(blocks, 2 * i), at(blocks, 2 * i + 1)]))
    const all = [parent, ...(await device.realize(derived)), ...stream]
    expect(new Set((await Promise.all(all.map(read))).map((w) => w.join())).size).toBe(161)
  })

  it.each([0, -1, 1.5])('refuses to make %d keys', (n) => {
    expect(() => split(key(0), n)).toThrow(/split: cannot make .* ask for a whole number/)
  })
})

describe('foldIn', () => {
  it('equals hostFold for a number, and the number as u32 or i32 tensor', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.nat({ max: 0x7fffffff }), async (seed, n) => {
        const host = hostFold(hostKey(seed), n)
        for (const data of [n, scalar(n, 'u32'), scalar(n, 'i32')])
          expect(await read(foldIn(key(seed), data))).toEqual(host)
      }),
      { numRuns: 20 },
    )
  })

  it('keeps names and numbers apart, also where the hash of the name is the number', async () => {
    for (const name of ['a', 'weight', ''])
      expect(await read(foldIn(key(3), name))).not.toEqual(await read(foldIn(key(3), fnv1a(name))))
  })

  it('depends on the order of folding', async () => {
    expect(await read(foldIn(foldIn(key(1), 'a'), 'b'))).not.toEqual(await read(foldIn(foldIn(key(1), 'b'), 'a')))
  })

  it('takes a name or an argument inside a compiled function', async () => {
    const draw = device.compile((k: Key, i: Tensor) => bits(foldIn(foldIn(k, 'dropout'), i), [2]))
    expect(await read(await draw(key(1), scalar(3, 'u32')))).toEqual(
      await read(bits(foldIn(foldIn(key(1), 'dropout'), 3), [2])),
    )
  })

  it('refuses what has no 32 bits', () => {
    expect(() => foldIn(key(0), -1)).toThrow(/foldIn: -1 is not an integer in \[0, 2\^32\)/)
    expect(() => foldIn(key(0), 2 ** 32)).toThrow(RangeError)
    expect(() => foldIn(key(0), tensor([1]))).toThrow(/foldIn: takes a scalar, got \[1\]/)
    expect(() => foldIn(key(0), scalar(1))).toThrow(/foldIn: takes i32 or u32, got f32/)
  })
})

describe('fnv1a', () => {
  it.each([
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ])('gives the published hash of %j', (text, hash) => {
    expect(fnv1a(text)).toBe(hash)
  })

  it('hashes the UTF-8 bytes of any text', () => {
    const reference = (text: string): number =>
      new TextEncoder().encode(text).reduce((h, b) => Math.imul(h ^ b, 0x01000193), 0x811c9dc5 | 0) >>> 0
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => fnv1a(text) === reference(text)))
  })
})
