/**
 * Invocations of a workgroup that work together: they share memory, and wait for each other at barriers, which all of them must reach. So whatever
 * has a barrier stands outside of conditions that may differ from one invocation to another.
 */
import type { DType } from '../../../graph/dtype.ts'
import type { Target } from '../target.ts'
import { applied } from '../wgsl/ops.ts'
import { laneType, type Shader } from '../wgsl/shader.ts'
import { u32 } from '../wgsl/text.ts'

/** A run of invocations of a workgroup; it divides the workgroup. */
export interface Team {
  /** How many they are: a power of two. */
  readonly size: number
  /** Of how many in the workgroup. */
  readonly workgroup: number
  /** Name of the invocation's number in its team. */
  readonly member: string
}

/** How a team is divided among results: so many at a time, and each gets equally many invocations. Both are powers of two. */
export interface Division {
  readonly results: number
  readonly each: number
  /** Whether neighbours work on neighbouring results; else on one, at neighbouring terms. */
  readonly across: boolean
}

/** Which result, among those of a division, an invocation works on, and which of those that work on it this is: expressions. */
export const partOf = (
  { member }: Team,
  { results, each, across }: Division,
): readonly [result: string, turn: string] =>
  across
    ? [`${member} & ${u32(results - 1)}`, `${member} / ${u32(results)}`]
    : [`${member} / ${u32(each)}`, `${member} & ${u32(each - 1)}`]

/** Waits until what the workgroup has stored can be read by all of it. */
export const waitForStored = ({ main }: Shader): void => {
  main.add('storageBarrier();')
}

const sharedOf = ({ declare }: Shader, dtype: DType, workgroup: number): string => {
  const name = `shared_${laneType(dtype)}`
  declare(`var<workgroup> ${name}: array<${laneType(dtype)}, ${workgroup}>;`)
  return name
}

/** What is put together, and how. */
export interface Folded {
  readonly operation: 'sum' | 'max'
  /** Of the values: f32, i32 or u32. */
  readonly dtype: DType
  /** Each invocation's own. */
  readonly value: string
}

const put = (shader: Shader, { operation, dtype }: Folded, x: string, y: string): string =>
  operation === 'sum' ? `${x} + ${y}` : applied('max', { shader, x, y, z: '', from: dtype, to: dtype })

/** Halves the invocations of each result until one of them has it all. @returns where the result of `i` lies */
const byTree = (shader: Shader, team: Team, division: Division, folded: Folded): ((i: string) => string) => {
  const { main } = shader
  const { results, each, across } = division
  const shared = sharedOf(shader, folded.dtype, team.workgroup)
  const [, turn] = partOf(team, division)
  main.add(`${shared}[lane] = ${folded.value};`, 'workgroupBarrier();')
  for (let half = each / 2; half >= 1; half /= 2) {
    main.block(`if ((${turn}) < ${u32(half)})`, () => {
      const other = `${shared}[lane + ${u32(across ? half * results : half)}]`
      main.add(`${shared}[lane] = ${put(shader, folded, `${shared}[lane]`, other)};`)
    })
    main.add('workgroupBarrier();')
  }
  const first = team.size === team.workgroup ? '0u' : `lane - ${team.member}`
  return (i) => `${shared}[${first} + (${i})${across ? '' : ` * ${u32(each)}`}]`
}

/** f32 as whole numbers in their order, and back; NaN is the largest, for what becomes of it among subgroups' floats is not said. */
const ordered = (shader: Shader, x: string): string =>
  `select(${shader.use('order_f32')}(${x}), 0x7fffffffi, ${shader.use('is_nan')}(${x}))`
const unordered = (shader: Shader, x: string): string => `bitcast<f32>(${shader.use('order_f32')}(bitcast<f32>(${x})))`

/** Subgroups add up what they have without memory, and memory what they are left with. */
const bySubgroups = (shader: Shader, team: Team, folded: Folded): (() => string) => {
  const { main, fresh } = shader
  const { operation, dtype, value } = folded
  const isMaximum = operation === 'max' && laneType(dtype) === 'f32'
  const inner: Folded = isMaximum ? { operation, dtype: 'i32', value: ordered(shader, value) } : folded
  const shared = sharedOf(shader, inner.dtype, team.workgroup)
  const [own, n, all] = [fresh('own'), fresh('n'), fresh('all')]
  shader.useSubgroups()
  main.add(`let ${own} = ${operation === 'sum' ? 'subgroupAdd' : 'subgroupMax'}(${inner.value});`)
  main.add(`if (subgroup_lane == 0u) { ${shared}[subgroup] = ${own}; }`, 'workgroupBarrier();')
  main.add(`var ${all} = ${shared}[0];`)
  main.block(`for (var ${n} = 1u; ${n} < subgroup_count; ${n}++)`, () => {
    main.add(`${all} = ${put(shader, inner, all, `${shared}[${n}]`)};`)
  })
  return () => (isMaximum ? unordered(shader, all) : all)
}

/**
 * Puts together what the invocations of each result have. All of the workgroup must come here.
 *
 * @param use written where the results are known, for one invocation of each `lanes` of them; `i` is the number of a result among those of the division
 */
export const fold = (
  shader: Shader,
  target: Target,
  [team, division]: readonly [Team, Division],
  folded: Folded,
  [lanes, use]: readonly [lanes: number, use: (valueOf: (i: string) => string) => void],
): void => {
  const { main } = shader
  const whole = division.each === team.workgroup && target.subgroups
  const valueOf = whole ? bySubgroups(shader, team, folded) : byTree(shader, team, division, folded)
  main.block(`if (${team.member} < ${u32(division.results / lanes)})`, () => {
    use(valueOf)
  })
  main.add('workgroupBarrier();') // before the memory is used again
}
