/** The Hessian, twice: forward over reverse equals reverse over reverse, and it is symmetric. */
import { jvp, vjp } from '../../src/autograd/grad.ts'
import { constant } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import type { Case, Entry } from '../registry/entry.ts'
import {
  checkCases,
  dataOf,
  differentiable,
  inInputs,
  onDevice,
  perBuild,
  quadratic,
  smoothCases,
  usual,
  vectorLike,
  type Held,
  type Suite,
} from './suite.ts'

const innerProduct = (a: readonly Tensor[], b: readonly Tensor[]): Tensor =>
  a
    .flatMap((x, i) => b.slice(i, i + 1).map((y) => x.mul(y).sum()))
    .reduce((sum, term) => sum.add(term), constant(0, { dtype: 'f64' }))

/** H·v forward over reverse, H·v reverse over reverse, ⟨u, H·v⟩ and ⟨v, H·u⟩ of a quadratic of the result. */
const hessianProducts =
  (entry: Entry, c: Case) =>
  (...xs: readonly Tensor[]) => {
    const at = differentiable(entry, c)
    const loss = quadratic(inInputs(c.build, xs, at))
    const point = at.flatMap((i) => xs[i] ?? [])
    const [u, v] = [point.map((x, i) => vectorLike(x, 2 * i)), point.map((x, i) => vectorLike(x, 2 * i + 1.3))]
    const gradient = (...moved: readonly Tensor[]): readonly Tensor[] =>
      vjp(loss, ...moved).pullback(constant(1, { dtype: 'f64' }))
    const forward = jvp(gradient, point, v).tangent
    const reverse = vjp(gradient, ...point).pullback(v)
    return {
      forward,
      reverse,
      uHv: innerProduct(u, forward),
      vHu: innerProduct(v, jvp(gradient, point, u).tangent),
    }
  }

/** jvp(grad f)(v) = vjp(grad f)(v) element by element, and ⟨u, H·v⟩ = ⟨v, H·u⟩, to 1e-11 of the largest element. One check a case. */
export const forwardOverReverse: Suite = async (subject, entry, { on = usual, ...amount }) =>
  onDevice(on, async (device) => {
    const read = async (x: Tensor): Promise<readonly number[]> => [...(await device.read(x))]
    const products = perBuild((c) => device.compile(hessianProducts(entry, c)))
    return checkCases('forward over reverse', subject, smoothCases(entry), amount, async (c): Promise<Held> => {
      const { forward, reverse, uHv, vHu } = await products(c)(...dataOf(c))
      const [a, b] = [(await Promise.all(forward.map(read))).flat(), (await Promise.all(reverse.map(read))).flat()]
      const scale = 1e-11 * Math.max(1, ...a.map(Math.abs))
      const errors = a.map((x, i) => Math.abs(x - (b[i] ?? NaN)) / scale)
      const wrong = errors.findIndex((e) => !(e <= 1))
      if (wrong !== -1)
        throw new Error(`H·v: element ${wrong} is ${a[wrong]} by jvp of grad, ${b[wrong]} by vjp of grad`)
      const [[left = NaN], [right = NaN]] = [await read(uHv), await read(vHu)]
      const symmetry = Math.abs(left - right) / (scale * Math.max(1, a.length))
      if (!(symmetry <= 1)) throw new Error(`the Hessian is not symmetric: ⟨u, H·v⟩ = ${left}, ⟨v, H·u⟩ = ${right}`)
      return { checks: 1, worst: Math.max(0, symmetry, ...errors) }
    })
  })
