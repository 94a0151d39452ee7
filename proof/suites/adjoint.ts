/** Adjoint identities: reverse mode is the transpose of the operation where that is linear, and of forward mode everywhere. */
import { jvp, vjp } from '../../src/autograd/grad.ts'
import type { Device } from '../../src/tensor/device.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { count, toTensor, type NdArray } from '../array.ts'
import type { Case, Entry } from '../registry/entry.ts'
import {
  checkCases,
  dataOf,
  differentiable,
  inInputs,
  onDevice,
  smoothCases,
  testVector,
  usual,
  vectorLike,
  type Held,
  type Suite,
} from './suite.ts'

/** ⟨a, b⟩ twice: the sum of the products, and of their sizes. */
const inner = (a: ArrayLike<number>, b: ArrayLike<number>): readonly [sum: number, size: number] => {
  let [sum, size] = [0, 0]
  for (let i = 0; i < a.length; i++) {
    const term = (a[i] ?? NaN) * (b[i] ?? NaN)
    sum += term
    size += Math.abs(term)
  }
  return [sum, size]
}

/** |left − right| ÷ (1e-12 · max(1, Σ |terms|)); throws above 1. */
const agreement = (
  what: string,
  [left, leftSize]: readonly [number, number],
  [right, rightSize]: readonly [number, number],
): number => {
  const error = Math.abs(left - right) / (1e-12 * Math.max(1, leftSize, rightSize))
  if (!(error <= 1)) throw new Error(`${what}: ${left} is not ${right}`)
  return error
}

const read = async (device: Device, xs: readonly Tensor[]): Promise<readonly (readonly number[])[]> =>
  Promise.all(xs.map(async (x) => [...(await device.read(x))]))

/** ⟨ct, f(v)⟩ = ⟨Jᵀct, v⟩ for f linear in input `k`. */
const linearIdentity = async (device: Device, c: Case, k: number): Promise<number> => {
  const input = c.inputs[k]
  if (input === undefined) throw new Error(`there is no input ${k}`)
  const v: NdArray = { ...input, data: [...testVector(count(input.shape), 0.3)] }
  const run = device.compile((...xs: readonly Tensor[]) => {
    const y = c.build(...xs)
    const pulled = vjp(inInputs(c.build, xs, [k]), ...xs.slice(k, k + 1)).pullback(vectorLike(y, 1.7))
    return [y, ...pulled]
  })
  const [y = [], pulled = []] = await read(device, await run(...c.inputs.map((x, i) => toTensor(i === k ? v : x))))
  return agreement(`⟨ct, J·v⟩ = ⟨Jᵀ·ct, v⟩ in input ${k}`, inner(testVector(y.length, 1.7), y), inner(pulled, v.data))
}

/** ⟨ct, jvp(f)(v)⟩ = ⟨vjp(f)(ct), v⟩ in all differentiable inputs together. */
const duality = async (device: Device, entry: Entry, c: Case): Promise<number> => {
  const at = differentiable(entry, c)
  const run = device.compile((...xs: readonly Tensor[]) => {
    const f = inInputs(c.build, xs, at)
    const primals = at.flatMap((i) => xs[i] ?? [])
    const tangents = primals.map((x, i) => vectorLike(x, 0.3 + i))
    const { value, tangent } = jvp(f, primals, tangents)
    return { tangent, pulled: vjp(f, ...primals).pullback(vectorLike(value, 1.7)) }
  })
  const { tangent, pulled } = await run(...dataOf(c))
  const [[pushed = []], back] = [await read(device, [tangent]), await read(device, pulled)]
  const v = back.flatMap((x, i) => [...testVector(x.length, 0.3 + i)])
  return agreement('⟨ct, jvp(v)⟩ = ⟨vjp(ct), v⟩', inner(testVector(pushed.length, 1.7), pushed), inner(back.flat(), v))
}

/** Cotangents of exactly zero for the floats through which no gradient flows; returns how many inputs those are. */
const silence = async (device: Device, entry: Entry, c: Case): Promise<number> => {
  const at = differentiable(entry, c)
  const still = [...c.inputs.keys()].filter((i) => !at.includes(i) && c.inputs[i]?.dtype === 'f64')
  if (still.length === 0) return 0
  const run = device.compile((...xs: readonly Tensor[]) => {
    const f = (...moved: readonly Tensor[]): Tensor => inInputs(c.build, xs, still)(...moved).cast('f64')
    const traced = vjp(f, ...still.flatMap((i) => xs[i] ?? []))
    return traced.pullback(vectorLike(traced.value, 1.7))
  })
  const pulled = await read(device, await run(...dataOf(c)))
  if (pulled.flat().some((g) => g !== 0)) throw new Error('a gradient flows through an input that has none')
  return still.length
}

/** ⟨ct, J·v⟩ = ⟨Jᵀ·ct, v⟩ to 1e-12. One check for each linear input, one of jvp against vjp, one for each input without a gradient. */
export const adjoint: Suite = async (subject, entry, { on = usual, ...amount }) =>
  onDevice(on, async (device) => {
    const cases = entry.differentiableIn.length === 0 ? entry.cases('f64') : smoothCases(entry)
    return checkCases('adjoint', subject, cases, amount, async (c): Promise<Held> => {
      const errors: number[] = []
      for (const k of entry.linearIn) if (k < c.inputs.length) errors.push(await linearIdentity(device, c, k))
      if (differentiable(entry, c).length > 0) errors.push(await duality(device, entry, c))
      const silent = await silence(device, entry, c)
      return { checks: errors.length + silent, worst: Math.max(0, ...errors) }
    })
  })
