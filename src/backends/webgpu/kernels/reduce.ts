/**
 * Reductions. Where a GPU has as many results as it takes to occupy it, an invocation for each, or for those that lie in one word; else workgroups
 * reduce together. Long ones are cut into parts, which a second phase puts together.
 */
import { at, product } from '../../../prelude/array.ts'
import type { ReduceKernel } from '../../../compiler/kernel.ts'
import { cutOf, type Cut, type CutPolicy } from '../../../compiler/reduction.ts'
import { independent, inOrder, alone, type Generated, type Phase } from '../phase.ts'
import type { Target } from '../target.ts'
import { addresses } from '../wgsl/body.ts'
import { operand, sum, u32 } from '../wgsl/text.ts'
import { bitsOf, load, outputOf } from '../wgsl/value.ts'
import { accumulator, finished, partialDType } from './accumulate.ts'
import { eachLane, lanesOf, overElements } from './lanes.ts'
import { dtypesOf, loopsOf, reduced, wholeOf, type Loops } from './reduction.ts'
import { teamsFor, byTeams } from './reduceTeams.ts'

/** Parts are worth a second phase when a part has so many elements, and results alone are too few to occupy a processor that plays a GPU. */
const policy: CutPolicy = { partSize: 1024, enoughUnits: 4096, multiple: 1 }

const whole = (kernel: ReduceKernel, loops: Loops): Phase => {
  const [from, to] = dtypesOf(kernel)
  return overElements(
    kernel.size,
    lanesOf([to]),
    (shader) => {
      const addressOf = addresses(shader)
      return { addressOf, output: outputOf(shader, addressOf({ buffer: kernel.output }), to) }
    },
    (shader, element, { addressOf, output }) => {
      const total = wholeOf(shader, kernel, loops, element, { addressOf })
      output.store(element, finished(shader, total, from, to))
    },
  )
}

const parts = (kernel: ReduceKernel, loops: Loops, { axis, parts: count, length }: Cut): readonly Phase[] => {
  const [from, to] = dtypesOf(kernel)
  const partial = partialDType(from, to)
  const { lengths } = loops.box.domain
  const scratch = { kind: 'scratch', offset: 0 } as const
  const first = independent(kernel.size * count, (shader, turn) => {
    const { main, fresh, number } = shader
    const addressOf = addresses(shader)
    const out = shader.address(scratch)
    const [result, part, begin, end] = [fresh('result'), fresh('part'), fresh('begin'), fresh('end')]
    const results = number(kernel.size)
    main.add(
      `let ${result} = ${turn} % ${results};`,
      `let ${part} = ${turn} / ${results};`,
      `let ${begin} = ${part} * ${u32(length)};`,
      `let ${end} = min(${begin} + ${u32(length)}, ${u32(at(lengths, axis))});`,
    )
    const bounds = (a: number): readonly [string, string] => (a === axis ? [begin, end] : ['0u', u32(at(lengths, a))])
    const total = reduced(shader, kernel, loops, result, { addressOf }, bounds)
    main.add(`${shader.memory(out)}[${out.name} + ${turn}] = ${bitsOf(shader, total, partial)};`)
  })
  const second = independent(Math.ceil(kernel.size / lanesOf([to])), (shader, turn) => {
    const { main, fresh, number } = shader
    const input = shader.address(scratch)
    const output = outputOf(shader, shader.address({ kind: 'buffer', buffer: kernel.output }), to)
    const results = number(kernel.size)
    eachLane(shader, lanesOf([to]), turn, (element) => {
      const sums = accumulator(shader, kernel.operation, [partial, partial], count)
      const part = fresh('part')
      main.block(`for (var ${part} = 0u; ${part} < ${u32(count)}; ${part}++)`, () => {
        sums.add(load(shader, input, sum([`${part} * ${results}`, operand(element)]), partial))
      })
      output.store(element, finished(shader, sums.total(), from, to))
    })
  })
  return [first, second]
}

/** out[target(i)] = Σ or max of body(i). */
export const reduce = (kernel: ReduceKernel, target: Target): Generated => {
  const loops = loopsOf(kernel)
  const { domain, kept } = loops.box
  const length = product(domain.lengths.slice(kept))
  const teams = target.software ? undefined : teamsFor(kernel, loops)
  if (teams !== undefined) return byTeams(kernel, loops, teams, target)
  const cut = cutOf(loops.box, kernel.size, kernel.size * length, policy)
  if (!target.software || cut.parts === 1) return alone(whole(kernel, loops))
  return inOrder(parts(kernel, loops, cut), 4 * kernel.size * cut.parts, { parts: cut.parts })
}
