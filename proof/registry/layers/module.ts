/** How a layer becomes a case: parameters and inputs at random, as one flat list. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import { evaluate, type Mode, type Module } from '../../../src/nn/module.ts'
import { key } from '../../../src/tensor/random.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { leavesWithPaths, refill } from '../../../src/tensor/tree.ts'
import { arrays, stored, type NdArray } from '../../array.ts'
import { entry, one, wide, type Case, type Entry, type Expected } from '../entry.ts'

/** A layer with parameters of its own, as a function of its input. */
export const applied =
  <P, In>(layer: Module<P, In>): ((input: In) => Tensor) =>
  (input) =>
    layer.apply(layer.init(key(0)), input)

/** Numbers of size 0.4 … 1.4: the norm of a vector of them is never near 0. */
const sizeable = (dtype: DType): fc.Arbitrary<number> =>
  fc
    .tuple(fc.integer({ min: 400, max: 1400 }), fc.boolean())
    .map(([k, negative]) => stored(dtype, ((negative ? -1 : 1) * k) / 1000))

/** Arrays of {@link sizeable} numbers. */
export const sizeableArrays = (shape: readonly number[], dtype: DType): fc.Arbitrary<NdArray> =>
  arrays(shape, dtype, sizeable(dtype))

/** The parameters by their paths. */
export type Params = (path: string) => NdArray

/** A layer with its options chosen, and inputs for it. */
export interface Use<P, In> {
  readonly layer: Module<P, In>
  readonly inputs: readonly fc.Arbitrary<NdArray>[]
  /** What the layer takes, from tensors; by default the only input. */
  readonly input?: (...xs: readonly Tensor[]) => In
  readonly train?: boolean
  readonly oracle?: (params: Params, ...xs: readonly NdArray[]) => Expected
}

/** Whether there is a parameter of this path. */
const found = (paths: readonly string[], values: readonly NdArray[], path: string): NdArray => {
  const value = values[paths.indexOf(path)]
  if (value === undefined) throw new Error(`the layer has no parameter '${path}', only ${paths.join(', ')}`)
  return value
}

const seedOf = (k: number): NdArray => ({ shape: [2], dtype: 'u32', data: [0, k] })

/** A case of a layer: its parameters, its inputs and, in training, a key. */
const used = <P, In>(use: Use<P, In>, dtype: DType): fc.Arbitrary<Case> => {
  const { layer, train = false, oracle, input = (x?: Tensor) => one(x) as In } = use
  const tree = layer.init(key(1))
  const leaves = leavesWithPaths(tree)
  const paths = leaves.map(([path]) => path)
  return fc
    .tuple(
      fc.tuple(...leaves.map(([, x]) => sizeableArrays(x.shape, dtype))),
      fc.tuple(...use.inputs),
      fc.nat(1000).map(seedOf),
    )
    .map(([params, inputs, seed]): Case => ({
      inputs: [...params, ...inputs, ...(train ? [seed] : [])],
      build: (...xs) => {
        const [own, rest] = [xs.slice(0, params.length), xs.slice(params.length, params.length + inputs.length)]
        const mode: Mode = train ? { train, key: one(xs.at(-1)) } : evaluate
        return layer.apply(refill(tree, own), input(...rest), mode)
      },
      ...(oracle === undefined ? {} : { oracle: () => oracle((path) => found(paths, params, path), ...inputs) }),
    }))
}

/** The entry of a layer: every float in it is differentiable. */
export const layer = <O, P, In>(
  options: fc.Arbitrary<O>,
  use: (chosen: O, dtype: DType) => Use<P, In>,
  given: Partial<Entry> = {},
): Entry =>
  entry({
    dtypes: wide,
    cases: (dtype) => options.chain((chosen) => used(use(chosen, dtype), dtype)),
    differentiableIn: 'floats',
    elements: 400,
    slack: 16,
    step: 4e-4,
    ends: 'a layer is made of functions, each of which is tried',
    ...given,
    lacks: [...(given.lacks ?? []), 'scalar', 'empty'],
  })

/** A whole number, 1 … max. */
export const size = (max: number, min = 1): fc.Arbitrary<number> => fc.integer({ min, max })

/** [N, H, W] of small images. */
export const image: fc.Arbitrary<readonly [number, number, number]> = fc.tuple(size(2), size(3), size(3))
