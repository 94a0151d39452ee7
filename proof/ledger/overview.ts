/** Equations of the tour (0), the chapters on the graph (1) and on data (7), and the page on adding an operation (A). */
import fc from 'fast-check'
import { grad, vjp } from '../../src/autograd/grad.ts'
import { dataOfSet } from '../../src/data/batches.ts'
import type { ImageSet } from '../../src/data/imageSet.ts'
import { qSample } from '../../src/diffusion/forward.ts'
import { cosineSchedule } from '../../src/diffusion/index.ts'
import { hostFold, hostKey, hostPermutationIndex, threefry2x32 } from '../../src/prelude/threefry.ts'
import { scalar, tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { normalise } from '../../src/train/pictures/pixels.ts'
import { agree, at, dot, forAll, holds, read, real, slope, together, upTo, vectors, type Equation } from './equation.ts'

/** A set whose i-th picture is the bytes of i. */
const numbered = (count: number): ImageSet => ({
  name: 'numbers',
  count,
  height: 1,
  width: 1,
  channels: 4,
  pixels: (i: number) => new Uint8Array(Uint32Array.of(i).buffer),
})

const numberOf = (bytes: Uint8Array): number => new Uint32Array(bytes.slice().buffer)[0] ?? NaN

/** A permutation of 0 … 4^half − 1 as eight rounds of (7.2), in arithmetic of its own. */
const feistel = (key: readonly [number, number], half: number, x: number): number => {
  const size = 2 ** half
  let [left, right] = [Math.floor(x / size), x % size]
  for (let round = 0; round < 8; round++) {
    const [word] = threefry2x32(key, [0x40000000 + round, right])
    ;[left, right] = [right, Number((BigInt(left) ^ BigInt(word)) % BigInt(size))]
  }
  return left * size + right
}

/** The entries. */
export const overview: readonly Equation[] = [
  {
    number: '0.1',
    statement: 'x_t = √ᾱ_t x₀ + √(1 − ᾱ_t) ε',
    source: 'Ho et al. 2020, section 3.2',
    by: '`qSample` in f32 on the cosine schedule, against ᾱ from its cosine in plain numbers',
    check: () =>
      forAll(fc.tuple(vectors(3), vectors(3), fc.integer({ min: 0, max: 998 })), async ([x0, epsilon, t]) => {
        const wave = (u: number): number => Math.cos(((u + 0.008) / 1.008) * (Math.PI / 2)) ** 2
        const alphaBar = wave((t + 1) / 1000) / wave(0) // below t = 999 no β is cut
        const x = qSample(cosineSchedule(1000), tensor([x0]), scalar(t, 'i32'), tensor([epsilon]))
        return agree(
          1e-6,
          await read(x),
          x0.map((v, i) => Math.sqrt(alphaBar) * v + Math.sqrt(1 - alphaBar) * at(epsilon, i)),
        )
      }),
  },
  {
    number: '1.1',
    statement: '⟨Bx, g⟩ = ⟨x, Bᵀg⟩',
    source: 'definition of the adjoint',
    by: '`broadcastTo` and its cotangent, on random x and g; Bᵀg also against sums over the repeated axes',
    check: () =>
      forAll(fc.tuple(vectors(3), vectors(6)), async ([x, g]) => {
        const repeat = vjp((v) => v.broadcastTo([2, 3]), tensor(x, { dtype: 'f64' }))
        const [back] = repeat.pullback(tensor(g, { dtype: 'f64' }).reshape([2, 3]))
        const [bx, btg] = [await read(repeat.value), await read(back)]
        return together([
          agree(1e-12, [dot(bx, g)], [dot(x, btg)]),
          agree(
            1e-12,
            btg,
            upTo(3).map((i) => at(g, i) + at(g, i + 3)),
          ),
        ])
      }),
  },
]

/** The entries of the chapter on data. */
export const dataEquations: readonly Equation[] = [
  {
    number: '7.1',
    statement: 'picture(i) = permutation_{⌊i/count⌋}(i mod count)',
    source: 'definition',
    by: '`dataOfSet` on sets of 1 to 60 pictures: each epoch is the permutation of its own key, and shows every picture once',
    check: () =>
      forAll(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 1000 })), ([size, seed]) => {
        const data = dataOfSet(numbered(size), seed)
        const epochs = [0, 1, 2].map((e) => upTo(data.count).map((i) => numberOf(data.picture(e * data.count + i))))
        const all = epochs.map((epoch) => epoch.toSorted((a, b) => a - b))
        const heldOut = size === 1 ? 0 : data.heldOutCount
        const [split, order] = [hostFold(hostKey(seed), 0), hostFold(hostKey(seed), 1)]
        const expected = [0, 1, 2].map((e) =>
          upTo(data.count).map((i) => {
            const place = hostPermutationIndex(hostFold(order, e), data.count, i)
            return hostPermutationIndex(split, size, heldOut + place)
          }),
        )
        return together([
          agree(0, epochs.flat(), expected.flat()),
          agree(0, all[1] ?? [], all[0] ?? []),
          agree(0, all[2] ?? [], all[0] ?? []),
          holds(new Set(all[0]).size === data.count, 'every picture once'),
        ])
      }),
  },
  {
    number: '7.2',
    statement: '(L, R) → (R, L ⊕ f(round, R))',
    source: 'Luby & Rackoff 1988',
    by: '`hostPermutationIndex` of 4, 16, 64 and 256 places against eight rounds in integers without bounds; a bijection',
    check: () =>
      forAll(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 2 ** 32 - 1 })), ([half, word]) => {
        const places = upTo(4 ** half)
        const image = places.map((i) => hostPermutationIndex([word, 5], 4 ** half, i))
        return together([
          agree(
            0,
            image,
            places.map((i) => feistel([word, 5], half, i)),
          ),
          holds(new Set(image).size === places.length, 'a bijection'),
        ])
      }),
  },
  {
    number: '7.3',
    statement: 'x = byte/127.5 − 1',
    source: 'definition',
    by: "the trainer's `normalise` on all 256 bytes, in f32",
    check: async () => {
      const x = await read(normalise(tensor(Uint8Array.from(upTo(256)))))
      return together([
        agree(
          2e-7,
          x,
          upTo(256).map((byte) => byte / 127.5 - 1),
        ),
        holds(x[0] === -1 && x[255] === 1, 'the ends are −1 and 1'),
      ])
    },
  },
]

/** The entry of the page on adding an operation. */
export const additions: readonly Equation[] = [
  {
    number: 'A.1',
    statement: 'd/dx log(1 + x) = 1/(1 + x)',
    source: 'calculus',
    by: 'the gradient of `x.add(1).log()` against 1/(1 + x), and that against finite differences of `Math.log1p`',
    check: () =>
      forAll(real(-0.9, 3), async (x) => {
        const derivative = grad((z: Tensor) => z.add(1).log())(scalar(x, 'f64'))
        return together([
          agree(1e-13, await read(derivative), [1 / (1 + x)]),
          agree(1e-7, [1 / (1 + x)], [slope(Math.log1p, x, 1e-3 * (1 + x))]),
        ])
      }),
  },
]
