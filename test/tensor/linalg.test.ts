/** Linear algebra at the ends: matrices without an inverse or a factor, of no rows, large ones, halves, and repeated derivatives. */
import { describe, expect, it } from 'vitest'
import { wasm } from '../../proof/devices.ts'
import { grad } from '../../src/autograd/index.ts'
import { eye, full, tensor, zeros } from '../../src/tensor/create.ts'
import {
  cholesky,
  det,
  inverse,
  logDet,
  lstsq,
  qr,
  slogDet,
  solve,
  solveTriangular,
} from '../../src/tensor/linalg/index.ts'
import { key, normal } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuForms, values } from '../support/device.ts'

const f64 = (xs: readonly (readonly number[])[]): Tensor => tensor(xs, { dtype: 'f64' })
const singular = f64([
  [1, 2],
  [2, 4],
])

const forms = [...cpuForms.map(([name, open]) => [`cpu, ${name}`, open] as const), [wasm.name, wasm.open] as const]

describe.each(forms)('linear algebra at the ends on %s', (_, open) => {
  const device = open()
  const read = async (x: Tensor): Promise<readonly number[]> => (await values(x, device)).map((v) => v + 0) // −0 is 0 here

  it('a singular matrix has the determinant 0, of sign 0 and logarithm −∞, and no solution that is a number', async () => {
    expect(await read(det(singular))).toEqual([0])
    expect(await read(slogDet(singular).sign)).toEqual([0])
    expect(await read(slogDet(singular).logAbs)).toEqual([-Infinity])
    expect(await read(logDet(singular))).toEqual([-Infinity])
    expect((await read(solve(singular, f64([[1], [1]])))).some(Number.isFinite)).toBe(false)
    expect((await read(inverse(singular))).some(Number.isFinite)).toBe(false)
  })

  it('a matrix of zeros has the determinant 0 and no inverse', async () => {
    expect(await read(det(zeros([3, 3], 'f64')))).toEqual([0])
    expect((await read(inverse(zeros([2, 2], 'f64')))).some(Number.isFinite)).toBe(false)
  })

  it('the gradient of the determinant of a singular matrix is NaN, not a number that is wrong', async () => {
    expect((await read(grad(det)(singular))).some(Number.isFinite)).toBe(false)
  })

  it('cholesky is NaN from the column on where the matrix is not positive definite', async () => {
    expect(await read(cholesky(f64([[1, 2], [2, 1]])))).toEqual([1, 0, 2, NaN]) // prettier-ignore
    expect((await read(cholesky(f64([[-1]]))))[0]).toBeNaN()
  })

  it('NaN in a matrix reaches the solution, the determinant and the factors', async () => {
    const broken = f64([
      [1, NaN],
      [0, 1],
    ])
    expect(await read(det(broken))).toEqual([NaN])
    expect((await read(solve(broken, f64([[1], [1]])))).some(Number.isNaN)).toBe(true)
    expect((await read(qr(broken).r)).some(Number.isNaN)).toBe(true)
  })

  it('matrices of no rows: the determinant is 1, its logarithm 0, everything else is empty', async () => {
    const none = zeros([2, 0, 0], 'f64')
    expect(await read(det(none))).toEqual([1, 1])
    expect(await read(logDet(none))).toEqual([0, 0])
    expect(inverse(none).shape).toEqual([2, 0, 0])
    expect(cholesky(none).shape).toEqual([2, 0, 0])
    expect(solveTriangular(none, zeros([2, 0, 3], 'f64')).shape).toEqual([2, 0, 3])
    expect(qr(zeros([3, 0])).q.shape).toEqual([3, 0])
  })

  it('the other triangle is not read, NaN or not', async () => {
    const l = f64([
      [2, NaN],
      [1, 4],
    ])
    expect(await read(solveTriangular(l, f64([[2], [9]])))).toEqual([1, 2])
    const gradient = grad((a: Tensor) => solveTriangular(a, f64([[2], [9]])).sum())
    expect((await read(gradient(l)))[1]).toBe(0)
  })

  it('a row exchange changes the sign of the determinant, for every order of three rows', async () => {
    const orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] // prettier-ignore
    const rows = orders.map((order) => order.map((i) => [0, 1, 2].map((j) => (i === j ? i + 2 : 0))))
    expect(await read(det(tensor(rows, { dtype: 'f64' })))).toEqual([24, -24, -24, 24, 24, -24])
  })

  it('halves are computed in f32 and rounded once', async () => {
    const half = tensor([[4, 2], [2, 10]], { dtype: 'f16' }) // prettier-ignore
    expect(cholesky(half).dtype).toBe('f16')
    expect(await read(cholesky(half))).toEqual([2, 0, 1, 3])
    expect(await read(det(half))).toEqual([36])
    expect(lstsq(half, half).dtype).toBe('f16')
  })

  it('third derivatives: d³ log det(x·1) / dx³ of two rows is 4 / x³', async () => {
    const f = (x: Tensor): Tensor => logDet(eye(2, 'f64').mul(x))
    const third = grad(grad(grad(f)))
    expect((await read(third(full([], 2, 'f64'))))[0]).toBeCloseTo(0.5, 10)
  })
})

describe('linear algebra of 64 rows on wasm, in f32', () => {
  it('solves and factors to rounding', async () => {
    const device = wasm.open()
    const n = 64
    const a = normal(key(3), [n, n])
    const error = device.compile((m: Tensor) => {
      const { q, r } = qr(m)
      const gram = m.matmul(m.transpose()).add(eye(n).mul(n))
      const l = cholesky(gram)
      return [
        q.matmul(r).sub(m).abs().max(),
        q.transpose().matmul(q).sub(eye(n)).abs().max(),
        l.matmul(l.transpose()).div(gram.abs().max()).sub(gram.div(gram.abs().max())).abs().max(),
        m
          .matmul(solve(m, eye(n)))
          .sub(eye(n))
          .abs()
          .max(),
      ] as const
    })
    const [product, orthogonal, gram, identity] = await error(await device.realize(a))
    expect((await values(product, device))[0]).toBeLessThan(1e-5)
    expect((await values(orthogonal, device))[0]).toBeLessThan(1e-5)
    expect((await values(gram, device))[0]).toBeLessThan(1e-6)
    expect((await values(identity, device))[0]).toBeLessThan(1e-3)
    await device.close()
  })
})
