/** Matrix products and convolutions, one result an invocation: for every view and every adapter. Faster forms are beside it. */
import { at, permute } from '../../../prelude/array.ts'
import type { ConvKernel, GemmKernel, Operand } from '../../../compiler/kernel.ts'
import { shapeOfGemm } from '../../../compiler/contraction/gemm.ts'
import { coalesce, type View } from '../../../compiler/view.ts'
import type { Phase } from '../phase.ts'
import { addresses, addressOf, coordinatesOf, writeBody, type BodyOptions } from '../wgsl/body.ts'
import { applied } from '../wgsl/ops.ts'
import type { Shader } from '../wgsl/shader.ts'
import { operand, sum, times, u32 } from '../wgsl/text.ts'
import { load, outputOf, type Output } from '../wgsl/value.ts'
import { accumulator, finished, partialDType } from '../kernels/accumulate.ts'
import { lanesOf, overElements } from '../kernels/lanes.ts'

type Contracting = GemmKernel | ConvKernel

/** The value of an output element behind the epilogue, given the sum. */
const ended = (
  shader: Shader,
  { epilogue, output }: Contracting,
  sumName: string,
  element: string,
  options: BodyOptions,
): string => {
  if (epilogue === undefined) return sumName
  const instead = (from: Operand): string | undefined => (from.buffer === output ? sumName : undefined)
  const values = writeBody(shader, epilogue, element, { ...options, instead })
  return at(values, values.length - 1)
}

/** What one invocation knows of the buffers. */
interface Begun {
  readonly options: BodyOptions
  readonly output: Output
}

const oneByOne = (
  kernel: Contracting,
  size: number,
  terms: number,
  write: (shader: Shader, element: string, options: BodyOptions, add: (x: string, y: string) => void) => void,
): Phase => {
  const from = kernel.x.dtype
  const partial = partialDType(from, kernel.dtype)
  return overElements(
    size,
    lanesOf([kernel.dtype]),
    (shader): Begun => {
      const options = { addressOf: addresses(shader) }
      return { options, output: outputOf(shader, options.addressOf({ buffer: kernel.output }), kernel.dtype) }
    },
    (shader, element, { options, output }) => {
      const sums = accumulator(shader, 'sum', [partial, partial], terms)
      const converted = (value: string): string =>
        applied('cast', { shader, x: value, y: '', z: '', from, to: partial })
      write(shader, element, options, (x, y) => {
        sums.add(`${operand(converted(x))} * ${operand(converted(y))}`)
      })
      const name = shader.fresh('sum')
      shader.main.add(`let ${name} = ${finished(shader, sums.total(), from, kernel.dtype)};`)
      output.store(element, ended(shader, kernel, name, element, options))
    },
  )
}

/** Some axes of an operand at a linear index over them, as a part of its address. */
const partAt = (shader: Shader, { view }: Operand, axes: readonly number[], index: string): string => {
  const part: View = coalesce({ offset: 0, shape: permute(view.shape, axes), strides: permute(view.strides, axes) })
  return addressOf(0, part.strides, coordinatesOf(shader, index, part.shape))
}

/** A product of matrices. */
export const plainGemm = (kernel: GemmKernel): Phase => {
  const { x, y, axes } = kernel
  const [b, m, n] = shapeOfGemm(kernel)
  const depth = permute(x.view.shape, axes.contract[0]).reduce((p, length) => p * length, 1)
  return oneByOne(kernel, b * m * n, depth, (shader, element, { addressOf: address }, add) => {
    const { main, fresh } = shader
    const [batch = '0u', row = '0u', column = '0u'] = coordinatesOf(shader, element, [b, m, n])
    const named = (name: string, terms: readonly string[]): string => {
      const variable = fresh(name)
      main.add(`let ${variable} = ${sum(terms)};`)
      return variable
    }
    const xFirst = named('x', [
      u32(x.view.offset),
      partAt(shader, x, axes.batch[0], batch),
      partAt(shader, x, axes.rows, row),
    ])
    const yFirst = named('y', [
      u32(y.view.offset),
      partAt(shader, y, axes.batch[1], batch),
      partAt(shader, y, axes.columns, column),
    ])
    const k = fresh('k')
    main.block(`for (var ${k} = 0u; ${k} < ${u32(depth)}; ${k}++)`, () => {
      const [xPlace, yPlace] = [partAt(shader, x, axes.contract[0], k), partAt(shader, y, axes.contract[1], k)]
      add(
        load(shader, address(x), sum([xFirst, xPlace]), x.dtype),
        load(shader, address(y), sum([yFirst, yPlace]), y.dtype),
      )
    })
  })
}

/** A convolution: taps that lie in the padding, or between pixels of a dilated input, are left out. */
export const plainConv = (kernel: ConvKernel): Phase => {
  const { x, filter, attrs, shape } = kernel
  const [n = 0, height = 0, width = 0, outputs = 0] = shape
  const [kh = 0, kw = 0, perGroup = 0] = filter.view.shape
  const each = outputs / attrs.groups
  const size = n * height * width * outputs
  return oneByOne(kernel, size, kh * kw * perGroup, (shader, element, { addressOf: address }, add) => {
    const { main, fresh } = shader
    const [image = '0u', row = '0u', column = '0u', channel = '0u'] = coordinatesOf(shader, element, [
      n,
      height,
      width,
      outputs,
    ])
    const firstChannel = attrs.groups === 1 ? '0u' : `(${operand(channel)} / ${u32(each)}) * ${u32(perGroup)}`
    /** A loop over taps along an axis, for those that meet a pixel. */
    const along = (axis: 0 | 1, output: string, inside: (tap: string, pixel: string) => void): void => {
      const [tap, place, pixel] = [fresh('tap'), fresh('place'), fresh('pixel')]
      const dilation = attrs.inputDilation[axis]
      main.block(`for (var ${tap} = 0u; ${tap} < ${u32(at(filter.view.shape, axis))}; ${tap}++)`, () => {
        const spread = sum([times(output, attrs.stride[axis]), times(tap, attrs.filterDilation[axis])])
        main.add(`let ${place} = i32(${spread}) - ${operand(String(attrs.padLow[axis]))};`)
        main.add(`let ${pixel} = u32(${place}) / ${u32(dilation)};`)
        const meets = dilation === 1 ? '' : ` && u32(${place}) % ${u32(dilation)} == 0u`
        main.block(`if (${place} >= 0${meets} && ${pixel} < ${u32(at(x.view.shape, axis + 1))})`, () => {
          inside(tap, pixel)
        })
      })
    }
    along(0, row, (tapRow, pixelRow) => {
      along(1, column, (tapColumn, pixelColumn) => {
        const c = fresh('c')
        main.block(`for (var ${c} = 0u; ${c} < ${u32(perGroup)}; ${c}++)`, () => {
          const source = sum([firstChannel, c])
          const xPlace = addressOf(x.view.offset, x.view.strides, [image, pixelRow, pixelColumn, source])
          const fPlace = addressOf(filter.view.offset, filter.view.strides, [tapRow, tapColumn, c, channel])
          add(load(shader, address(x), xPlace, x.dtype), load(shader, address(filter), fPlace, filter.dtype))
        })
      })
    })
  })
}
