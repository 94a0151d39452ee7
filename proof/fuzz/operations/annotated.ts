/** Operations of random programs that are calls: named, checkpointed, with a derivative of their own; and random numbers. */
import { isFloat } from '../../../src/graph/dtype.ts'
import { call, checkpoint, customVjp } from '../../../src/tensor/annotate.ts'
import { bernoulli, bits, foldIn, normal, permutation, randint, split, uniform } from '../../../src/tensor/random.ts'
import { scan } from '../../../src/tensor/scan.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { another, like, pick, settled, type Context, type Operation, type Value } from '../value.ts'

const isNumber = (x: Tensor): boolean => x.dtype !== 'bool'
const isFloatTensor = (x: Tensor): boolean => isFloat(x.dtype)

/** sin x with the derivative 2 cos x: a rule that differs from the definition's own shows which of the two was used. */
export const steepSine = customVjp(
  (x: Tensor) => x.sin(),
  ([x], g): [Tensor] => [g.mul(x.cos()).mul(2)],
)

const operation = (
  name: string,
  takes: (x: Tensor) => boolean,
  make: (value: Value, context: Context) => Value | readonly Value[],
  smooth = false,
  weight = 1,
): Operation => ({ name, weight, smooth, takes, make })

const annotations: readonly Operation[] = [
  operation(
    'call',
    isNumber,
    ({ x, bound }, c) => {
      const y = like(x, c)
      const made = call('difference', (p: Tensor, q: Tensor) => p.sub(q))(x, y.x)
      return settled(made, x.dtype === 'u32' || x.dtype === 'u8' ? Infinity : bound + y.bound, c.mode)
    },
    true,
  ),
  operation(
    'call of two results',
    isFloatTensor,
    ({ x, bound }, c) => {
      const y = like(x, c)
      const pair = call('pair', (p: Tensor, q: Tensor) => [p.sin().mul(q), p.add(q.cos()), p] as const)
      const [a, b, same] = pair(x, y.x)
      return [settled(a, y.bound, c.mode), settled(b, bound + 1, c.mode), { x: same, bound }]
    },
    true,
  ),
  operation(
    'call with a tensor from outside',
    isFloatTensor,
    ({ x }, c) => {
      const y = like(x, c)
      return settled(call('captured', (p: Tensor) => p.tanh().mul(y.x))(x), y.bound, c.mode)
    },
    true,
  ),
  operation(
    'call in a call',
    isFloatTensor,
    ({ x }, c) => {
      const inner = call('inner', (p: Tensor) => p.cos().mul(p.tanh()))
      return settled(call('outer', (p: Tensor) => inner(inner(p)).add(p.tanh()))(x), 2, c.mode)
    },
    true,
  ),
  operation(
    'checkpoint',
    isFloatTensor,
    ({ x }, c) => {
      const y = like(x, c)
      return settled(checkpoint((p: Tensor) => p.sin().mul(y.x).mul(p.cos()))(x), y.bound, c.mode)
    },
    true,
    2,
  ),
  operation(
    'checkpoint of two results',
    isFloatTensor,
    ({ x, bound }, c) => {
      const y = like(x, c)
      const [a, b] = checkpoint((p: Tensor, q: Tensor) => [p.tanh().add(q), p.tanh().cos()] as const)(x, y.x)
      return [settled(a, y.bound + 1, c.mode), settled(b, bound + 1, c.mode)]
    },
    true,
  ),
  operation(
    'scan',
    (x) => isFloatTensor(x) && (x.shape[0] ?? 0) > 0,
    ({ x }, c) => {
      const y = like(x, c)
      const outside = y.x.slice([0, 1]).reshape(x.shape.slice(1)).sin()
      const [carry, all] = scan(
        (h: Tensor, v: { readonly p: Tensor; readonly q: Tensor }) => {
          const next = h.sin().mul(v.q).add(v.p.tanh().mul(outside))
          return [next, next.sub(h.tanh())] as const
        },
        outside,
        { p: x, q: y.x },
        { reverse: c.choose(2) === 0, checkpoint: c.choose(3) === 0 },
      )
      return [settled(carry, y.bound + 1, c.mode), settled(all, y.bound + 2, c.mode)]
    },
    true,
    2,
  ),
  operation(
    'scan of numbers',
    (x) => isNumber(x) && !isFloatTensor(x) && (x.shape[0] ?? 0) > 0,
    ({ x, bound }, c) => {
      const [last, all] = scan(
        (h: Tensor, v: Tensor) => [v.sub(h), h] as const,
        x.slice([0, 1]).reshape(x.shape.slice(1)),
        x,
        { reverse: c.choose(2) === 0 },
      )
      const most = x.dtype === 'i32' ? bound * ((x.shape[0] ?? 0) + 1) : Infinity
      return [settled(last, most, c.mode), settled(all, most, c.mode)]
    },
  ),
  operation('customVjp', isFloatTensor, ({ x }, c) => settled(steepSine(x), 1, c.mode)),
]

const counts = ({ choose }: Context): readonly number[] => pick([[], [3], [2, 4], [5, 1], [0, 2], [2, 2, 2]], choose)

const streams: readonly Operation[] = [
  operation('randomBits', isNumber, (_, c) => settled(bits(foldIn(c.key, 'bits'), counts(c)), Infinity, c.mode)),
  operation('uniform', isFloatTensor, ({ x }, c) =>
    settled(uniform(foldIn(c.key, 'uniform'), x.shape, { low: -1, high: 2, dtype: x.dtype }).mul(x.tanh()), 2, c.mode),
  ),
  operation(
    'normal',
    isFloatTensor,
    ({ x, bound }, c) => settled(normal(foldIn(c.key, 'normal'), x.shape, x.dtype).add(x), 7 + bound, c.mode),
    true,
  ),
  operation(
    'randint',
    (x) => x.dtype === 'i32',
    (_, c) => settled(randint(split(c.key)[1], counts(c), -5, 9), 9, c.mode),
    false,
    2,
  ),
  operation(
    'bernoulli',
    (x) => x.dtype === 'bool',
    (_, c) => settled(bernoulli(foldIn(c.key, another('u32', c).x.sum()), 0.4, counts(c)), 1, c.mode),
  ),
  operation(
    'permutation',
    (x) => x.dtype === 'i32',
    (_, c) => settled(permutation(c.key, 1 + c.choose(7)), 7, c.mode),
  ),
]

/** All of them. */
export const annotated: readonly Operation[] = [...annotations, ...streams]
