/** Derivatives as values, as test/golden/torch/transforms.py names them. */
import { grad, hvp, jvp } from '../../src/autograd/grad.ts'
import { hessian, jacobian } from '../../src/autograd/jacobian.ts'
import { layerNorm } from '../../src/nn/layerNorm.ts'
import { at } from '../../src/prelude/array.ts'
import { call, checkpoint, customVjp } from '../../src/tensor/annotate.ts'
import { conv2d } from '../../src/tensor/convolution.ts'
import { onesLike, zerosLike } from '../../src/tensor/create.ts'
import { attention } from '../../src/tensor/attention.ts'
import { gelu, silu } from '../../src/tensor/activations.ts'
import { logSumExp } from '../../src/tensor/softmax.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { row, type Rows } from './row.ts'

type Map = (x: Tensor, w: Tensor) => Tensor

const normalised = (x: Tensor): Tensor => {
  const first = x.slice([0, 1]).reshape([-1])
  return layerNorm(at(x.shape, x.rank - 1)).apply({ weight: onesLike(first), bias: zerosLike(first) }, x)
}

const maps = {
  exponentials: (x, w) => logSumExp(x.matmul(w)),
  activations: (x, w) => gelu(x).mul(x.matmul(w).tanh()),
  convolution: (x, w) => silu(conv2d(x, w, { stride: 2, padding: 1 })),
  normalisation: (x, w) => normalised(x).matmul(w).sigmoid(),
  attention: (x, w) => attention(x.matmul(w), x, x),
} as const satisfies Readonly<Record<string, Map>>

interface Point {
  readonly x: Tensor
  readonly w: Tensor
}

interface Of extends Point {
  readonly of: keyof typeof maps
}

interface Directed extends Of {
  readonly dx: Tensor
  readonly dw: Tensor
}

const energy =
  (of: keyof typeof maps) =>
  ({ x, w }: Point): Tensor =>
    maps[of](x, w).square().sum()

/** ⌊x⌋ whose derivative is said to be that of tanh. */
const straightThrough = customVjp(
  (x: Tensor): Tensor => x.floor(),
  ([x], g): [Tensor] => [g.mul(x.tanh().square().neg().add(1))],
)

/** Subject → function. */
export const transforms: Rows = {
  jvp: row<Directed>(({ of, x, w, dx, dw }) => jvp<[Tensor, Tensor], Tensor>(maps[of], [x, w], [dx, dw])),
  hvp: row<Directed>(({ of, x, w, dx, dw }) => hvp(energy(of), { x, w }, { x: dx, w: dw })),
  grad: row<Of>(({ of, x, w }) => grad(energy(of))({ x, w })),
  gradientPenalty: row<Of>(({ of, x, w }) => grad(energy(of))({ x, w }).x.square().sum().sqrt().sub(1).square()),
  checkpoint: row<Of>(({ of, x, w }) => checkpoint(maps[of])(x, w)),
  call: row<Of>(({ of, x, w }) => call(of, maps[of])(x, w)),
  jacobian: row<Of>(({ of, x, w }) => jacobian((at: Point) => maps[of](at.x, at.w))({ x, w })),
  hessian: row<Of>(({ of, x, w }) => hessian(energy(of))({ x, w })),
  customVjp: row<{ readonly x: Tensor; readonly order: number }>(({ x, order }) =>
    order === 1 ? straightThrough(x) : grad((y: Tensor) => straightThrough(y).mul(y).sum())(x),
  ),
}
