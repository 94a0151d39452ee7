/** Outputs whose elements lie several in a word: an invocation computes all of a word. */
import type { DType } from '../../../graph/dtype.ts'
import { independent, type Phase } from '../phase.ts'
import { perWord, type Shader } from '../wgsl/shader.ts'
import { u32 } from '../wgsl/text.ts'

/** Elements that one invocation computes, so that it writes whole words of results of these dtypes. */
export const lanesOf = (dtypes: readonly DType[]): number => Math.max(...dtypes.map(perWord))

/** Writes `body` for each of the elements of an invocation. */
export const eachLane = (
  { main, fresh }: Shader,
  lanes: number,
  turn: string,
  body: (element: string) => void,
): void => {
  if (lanes === 1) {
    body(turn)
    return
  }
  const [k, element] = [fresh('k'), fresh('element')]
  main.block(`for (var ${k} = 0u; ${k} < ${u32(lanes)}; ${k}++)`, () => {
    main.add(`let ${element} = ${turn} * ${u32(lanes)} + ${k};`)
    body(element)
  })
}

/** Invocations over `size` elements, so many each. @param begin written once for each invocation, before its elements */
export const overElements = <T>(
  size: number,
  lanes: number,
  begin: (shader: Shader) => T,
  body: (shader: Shader, element: string, begun: T) => void,
): Phase =>
  independent(Math.ceil(size / lanes), (shader, turn) => {
    const begun = begin(shader)
    eachLane(shader, lanes, turn, (element) => {
      body(shader, element, begun)
    })
  })
