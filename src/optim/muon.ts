/**
 * Muon (Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"): the momentum of a matrix, made orthogonal by Newton–Schulz
 * iterations, so that all its directions are learned alike.
 */
import { requireKnown, requireWhole } from '../prelude/options.ts'
import { range } from '../prelude/array.ts'
import { widened } from '../tensor/precision.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { mapTree } from '../tensor/tree.ts'
import { decoupled, decoupledOptions, type DecoupledOptions } from './decoupled.ts'
import { globalNorm } from './globalNorm.ts'
import { asMatrix, matrixShape } from './matrices.ts'
import { requireFraction, zerosFor } from './moments.ts'
import { zipState, type Transform, type Tree } from './transform.ts'

/** What {@link muon} takes; the defaults are Jordan's. */
export interface MuonOptions extends DecoupledOptions {
  /** μ in [0, 1); default 0.95. */
  readonly momentum?: number
  /** Look ahead along the velocity; default true. */
  readonly nesterov?: boolean
  /** Iterations of Newton and Schulz; default 5. */
  readonly iterations?: number
  /**
   * What the orthogonal matrix is multiplied by: `spectral`, √max(1, out/in), Jordan's (rates of about 0.02), or `rms`, 0.2·√max(out, in), after
   * which the rates and decays of AdamW fit (Liu et al. 2025, eq. 4). Default `spectral`.
   */
  readonly scale?: 'spectral' | 'rms'
}

/** The running sum of gradients (f32 for f16 ones). */
export interface MuonState {
  readonly velocity: Tree
}

/** Of the quintic a·x + b·x³ + c·x⁵, whose iterates bring singular values from (0, 1] to about 1, the small ones fast (Jordan et al. 2024). */
const [a, b, c] = [3.4445, -4.775, 2.0315]

/** Keeps a matrix of zeros what it is. */
const least = 1e-7

/**
 * A matrix of nearly the same singular vectors whose singular values all lie about 1, between 0.7 and 1.2 where they were not very small: X ← aX + (bA + cA²)X
 * with A = XXᵀ, from G/‖G‖ on.
 *
 * @param g [m, n]
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { orthogonalized } from 'fathom/optim'
 *
 * const g = tensor([[3, 0], [0, -0.5]])
 * orthogonalized(g) // => [[0.7136, 0], [0, -1.042]]
 * ```
 */
export const orthogonalized = (g: Tensor, iterations = 5): Tensor => {
  requireWhole('orthogonalized', 'iterations', iterations, 1)
  const [rows, columns] = matrixShape(g)
  if (rows > columns) return orthogonalized(g.transpose(), iterations).transpose() // XXᵀ is the smaller product
  const x = widened(g)
  return range(iterations).reduce(
    (y) => {
      const gram = y.matmul(y.transpose())
      return y.mul(a).add(gram.mul(b).add(gram.matmul(gram).mul(c)).matmul(y))
    },
    x.div(globalNorm(x).add(least).cast(x.dtype)),
  )
}

const scales = {
  spectral: (rows: number, columns: number): number => Math.sqrt(Math.max(1, columns / rows)),
  rms: (rows: number, columns: number): number => 0.2 * Math.sqrt(Math.max(rows, columns)),
} as const

/**
 * Muon, for parameters of two axes and more (filters are matrices [H·W·I, O]): p ← p − η·(s·O + λp), O being v or, with Nesterov's momentum, g + μv
 * made orthogonal, v ← μv + g. Biases, embeddings and the last layer belong to another optimizer: see the example.
 *
 * @throws ShapeError for a parameter of one axis
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { adamW, chain, muon, partition, scaleUpdates } from 'fathom/optim'
 *
 * const optimizer = partition(
 *   { muon: muon({ learningRate: 0.02 }), adam: chain(adamW({ learningRate: 3e-4 })) },
 *   (path, p) => (p.rank > 1 && !path.startsWith('embedding') ? 'muon' : 'adam'),
 * )
 * const params = { bias: tensor([1]), weight: tensor([[3, 0], [0, -0.5]]) }
 * const [updates] = optimizer.update(params, optimizer.init(params), params)
 * updates // => { bias: [-0.000303], weight: [[-0.01427, 0], [0, 0.02084]] }
 * ```
 */
export const muon = (options: MuonOptions = {}): Transform<MuonState> => {
  requireKnown('muon', options, [...decoupledOptions, 'momentum', 'nesterov', 'iterations', 'scale'])
  const { momentum = 0.95, nesterov = true, iterations = 5, scale = 'spectral' } = options
  requireFraction('muon', 'momentum', momentum)
  requireWhole('muon', 'iterations', iterations, 1)
  if (!Object.hasOwn(scales, scale))
    throw new RangeError(`muon: scale is '${scale}'; it must be ${Object.keys(scales).join(' or ')}`)
  const onward = (g: Tensor, v: Tensor): Tensor => v.mul(momentum).add(widened(g)) // v ← μv + g
  const orthogonal = (x: Tensor, path: string): Tensor =>
    orthogonalized(asMatrix('muon', x, path), iterations)
      .mul(scales[scale](...matrixShape(x)))
      .reshape(x.shape)
  const matrices: Transform<MuonState> = {
    init: (params) => ({ velocity: mapTree(params, zerosFor) }),
    update: (gradients, state) => {
      const velocity = zipState('muon', gradients, state.velocity, onward)
      const ahead = nesterov ? zipState('muon', gradients, velocity, onward) : velocity
      return [mapTree(ahead, orthogonal), { velocity }]
    },
  }
  return decoupled(matrices, options)
}
