/**
 * Running sums in two levels: a line is cut into about √n parts of √n elements. Every part is summed, the sums of parts are summed up along the
 * line, and then each part runs through its elements again. No invocation waits for another, and the order of the sums is that of the line.
 */
import type { CumsumKernel } from '../../../compiler/kernel.ts'
import { independent, inOrder, type Generated, type Phase } from '../phase.ts'
import { laneType, type Pointer, type Shader } from '../wgsl/shader.ts'
import { divided, modulo } from '../wgsl/text.ts'
import { bitsOf, load, outputOf } from '../wgsl/value.ts'
import { finished, partialDType } from './accumulate.ts'
import { lanesOf, overElements } from './lanes.ts'

/** How lines are cut: into `parts` of `size` elements, the last one shorter. */
interface Cut {
  readonly parts: number
  readonly size: number
}

/** Up to this length a line is one part: launches are dearer than that many sums. */
const short = 64

const cutOf = (length: number): Cut => {
  const size = length <= short ? length : Math.ceil(Math.sqrt(length))
  return { parts: Math.ceil(length / size), size }
}

/** Goes through the elements of part `turn`, in the order of the sums; `inside` gets an element's address and value. */
const throughPart = (
  shader: Shader,
  { from, length, inner, reverse, dtype }: CumsumKernel,
  { parts, size }: Cut,
  inside: (element: string, value: string) => void,
): void => {
  const { main, number } = shader
  const source = shader.address({ kind: 'buffer', buffer: from.buffer })
  const own = number(length)
  main.add(`let line = ${divided('turn', parts)};`, `let first = (${modulo('turn', parts)}) * ${number(size)};`)
  main.add(`let end = min(first + ${number(size)}, ${own});`)
  main.add(`let base = (${divided('line', inner)}) * ${number(length * inner)} + (${modulo('line', inner)});`)
  main.block('for (var place = first; place < end; place++)', () => {
    const along = reverse ? `(${own} - 1u - place)` : 'place'
    main.add(`let element = base + ${along} * ${number(inner)};`)
    inside('element', load(shader, source, 'element', dtype))
  })
}

const zeroOf = (kernel: CumsumKernel): string => `${laneType(partialDType(kernel.dtype, kernel.dtype))}(0)`

/** Sums of all parts but a line's last, which nobody needs: it is there for the sake of addresses. */
const partSums = (kernel: CumsumKernel, cut: Cut, sums: Pointer): Phase =>
  independent(kernel.outer * kernel.inner * cut.parts, (shader) => {
    const { main, memory } = shader
    const out = shader.address(sums)
    const type = partialDType(kernel.dtype, kernel.dtype)
    main.add(`var sum = ${zeroOf(kernel)};`)
    throughPart(shader, kernel, cut, (_, value) => {
      main.add(`sum += ${value};`)
    })
    main.add(`${memory(out)}[${out.name} + turn] = ${bitsOf(shader, 'sum', type)};`)
  })

/** In the place of each part's sum, that of all parts before it. */
const sumsBefore = (kernel: CumsumKernel, { parts }: Cut, sums: Pointer): Phase =>
  independent(kernel.outer * kernel.inner, (shader) => {
    const { main, memory, number } = shader
    const address = shader.address(sums)
    const type = partialDType(kernel.dtype, kernel.dtype)
    main.add(`let begin = turn * ${number(parts)};`, `var sum = ${zeroOf(kernel)};`)
    main.block(`for (var part = begin; part < begin + ${number(parts)}; part++)`, () => {
      main.add(`let own = ${load(shader, address, 'part', type)};`)
      main.add(`${memory(address)}[${address.name} + part] = ${bitsOf(shader, 'sum', type)};`, 'sum += own;')
    })
  })

/** The running sums, with those of the parts before; where several elements share a word, as words of their own. */
const runningSums = (kernel: CumsumKernel, cut: Cut, sums: Pointer, wide: Pointer | undefined): Phase =>
  independent(kernel.outer * kernel.inner * cut.parts, (shader) => {
    const { main, memory } = shader
    const type = partialDType(kernel.dtype, kernel.dtype)
    const out = shader.address(wide ?? { kind: 'buffer', buffer: kernel.output })
    main.add(`var sum = ${zeroOf(kernel)};`)
    main.add(`let before = ${cut.parts === 1 ? zeroOf(kernel) : load(shader, shader.address(sums), 'turn', type)};`)
    throughPart(shader, kernel, cut, (element, value) => {
      main.add(`sum += ${value};`)
      main.add(`${memory(out)}[${out.name} + ${element}] = ${bitsOf(shader, '(before + sum)', type)};`)
    })
  })

/** Words as elements of which several share a word. */
const packed = ({ outer, length, inner, output, dtype }: CumsumKernel, wide: Pointer): Phase => {
  const type = partialDType(dtype, dtype)
  return overElements(
    outer * length * inner,
    lanesOf([dtype]),
    (shader) => ({
      from: shader.address(wide),
      out: outputOf(shader, shader.address({ kind: 'buffer', buffer: output }), dtype),
    }),
    (shader, element, { from, out }) => {
      out.store(element, finished(shader, load(shader, from, element, type), dtype, dtype))
    },
  )
}

/** Running sums along the middle axis. */
export const cumsum = (kernel: CumsumKernel): Generated => {
  const { outer, length, inner, dtype } = kernel
  const cut = cutOf(length)
  const sums: Pointer = { kind: 'scratch', offset: 0 }
  const bytes = cut.parts === 1 ? 0 : 4 * outer * inner * cut.parts
  const wide: Pointer | undefined = lanesOf([dtype]) === 1 ? undefined : { kind: 'scratch', offset: bytes }
  return inOrder(
    [
      ...(cut.parts === 1 ? [] : [partSums(kernel, cut, sums), sumsBefore(kernel, cut, sums)]),
      runningSums(kernel, cut, sums, wide),
      ...(wide === undefined ? [] : [packed(kernel, wide)]),
    ],
    bytes + (wide === undefined ? 0 : 4 * outer * length * inner),
  )
}
