/** Matrix products of any views as contractions. */
import { permute, product } from '../../prelude/array.ts'
import type { GemmKernel, Operand } from '../kernel.ts'
import type { View } from '../view.ts'
import { jointAxes, type Contraction } from './contraction.ts'

/** Some axes of an operand. */
const part = ({ view }: Operand, list: readonly number[]): View => ({
  offset: 0,
  shape: permute(view.shape, list),
  strides: permute(view.strides, list),
})

const line = (length: number, stride: number): View => ({ offset: 0, shape: [length], strides: [stride] })

/** The lengths [batch, rows, columns] of a product's result. */
export const shapeOfGemm = ({ x, y, axes }: GemmKernel): readonly [batch: number, rows: number, columns: number] => [
  product(permute(x.view.shape, axes.batch[0])),
  product(permute(x.view.shape, axes.rows)),
  product(permute(y.view.shape, axes.columns)),
]

/** The product as a contraction, whose `out` is dense; undefined where axes of its views cross. */
export const contractionOfGemm = (kernel: GemmKernel): Contraction | undefined => {
  const { x, y, axes } = kernel
  const [b, m, n] = shapeOfGemm(kernel)
  const xDepth = part(x, axes.contract[0])
  const batch = jointAxes(b, { x: part(x, axes.batch[0]), y: part(y, axes.batch[1]), out: line(b, m * n) })
  const rows = jointAxes(m, { x: part(x, axes.rows), out: line(m, n) })
  const columns = jointAxes(n, { y: part(y, axes.columns), out: line(n, 1) })
  const depth = jointAxes(product(xDepth.shape), { x: xDepth, y: part(y, axes.contract[1]) })
  if (batch === undefined || rows === undefined || columns === undefined || depth === undefined) return undefined
  const first = { x: x.view.offset, y: y.view.offset, out: 0 }
  return { first, isWhole: true, readsOnce: true, batch, rows, columns, depth }
}
