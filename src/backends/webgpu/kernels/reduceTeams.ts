/**
 * Reductions by teams of invocations of a workgroup: each takes every so many-th term of a result, so that neighbours read neighbouring elements, and
 * then they put together what they have.
 */
import type { DType } from '../../../graph/dtype.ts'
import { at, product } from '../../../prelude/array.ts'
import type { ReduceKernel } from '../../../compiler/kernel.ts'
import { inOrder, type Generated, type Phase } from '../phase.ts'
import type { Target } from '../target.ts'
import { addresses, coordinatesOf, type BodyOptions } from '../wgsl/body.ts'
import { writeShader, type Shader } from '../wgsl/shader.ts'
import { operand, sum, times, u32 } from '../wgsl/text.ts'
import { bitsOf, load, outputOf } from '../wgsl/value.ts'
import { accumulator, finished, partialDType } from './accumulate.ts'
import { eachLane, lanesOf } from './lanes.ts'
import { dtypesOf, type Loops } from './reduction.ts'
import { fold, partOf, type Division, type Team } from './team.ts'

/** The power of two that is not below x. */
export const powerOfTwo = (x: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, x)))

/** The terms of results. */
interface Terms {
  /** The largest number of terms of a result. */
  readonly count: number
  /** The first, and the one behind the last, of this workgroup. */
  readonly bounds: readonly [from: string, to: string]
  /** Writes what is common to the terms of a result, and gives the value of each. */
  readonly of: (result: string) => (term: string) => string
}

/** The terms of a reduction in the order of its reduced axes. */
export const termsOf = (
  shader: Shader,
  { box: { domain, kept }, valueAt }: Loops,
  options: BodyOptions,
  bounds?: readonly [string, string],
): Terms => {
  const [outer, inner] = [domain.lengths.slice(0, kept), domain.lengths.slice(kept)]
  const count = product(inner)
  return {
    count,
    bounds: bounds ?? ['0u', u32(count)],
    of: (result) => {
      const coordinates = coordinatesOf(shader, result, outer)
      return (term) => valueAt(shader, [...coordinates, ...coordinatesOf(shader, term, inner)], options)
    },
  }
}

/** Results that a team reduces. */
interface Share {
  readonly team: Team
  readonly division: Division
  /** How many they are, and the number of the first: a name. */
  readonly results: number
  readonly first: string
  /** Whether the result of this number is one; `true` where all are. */
  readonly isOne: (result: string) => string
  readonly operation: 'sum' | 'max'
  /** Of the terms, and of the results. */
  readonly dtypes: readonly [from: DType, to: DType]
  /** Results that one invocation stores, since they lie in a word. */
  readonly lanes: number
  /** Begins to store. @returns what stores the partial value of a result */
  readonly store: () => (result: string, value: string) => void
}

/** Reduces a team's results. All of the workgroup must come here. */
export const reducedByTeam = (shader: Shader, target: Target, share: Share, terms: Terms): void => {
  const { main, fresh } = shader
  const { team, division, results, first, isOne, operation, dtypes, lanes, store } = share
  const partial = partialDType(...dtypes)
  const [own, turn] = partOf(team, division)
  const round = (before: string): void => {
    const [i, result, term, value] = [fresh('i'), fresh('result'), fresh('term'), fresh('value')]
    const isShared = (k: string): string => (results % division.results === 0 ? 'true' : `${k} < ${u32(results)}`)
    main.add(`let ${i} = ${sum([before, `(${own})`])};`, `let ${result} = ${first} + ${i};`)
    const sums = accumulator(shader, operation, dtypes, Math.ceil(terms.count / division.each))
    main.block(`if (${isShared(i)} && ${isOne(result)})`, () => {
      const valueOf = terms.of(result)
      const [from, to] = terms.bounds
      main.block(
        `for (var ${term} = ${sum([from, `(${turn})`])}; ${term} < ${to}; ${term} += ${u32(division.each)})`,
        () => {
          sums.add(valueOf(term))
        },
      )
    })
    main.add(`let ${value} = ${sums.total()};`)
    fold(shader, target, [team, division], { operation, dtype: partial, value }, [
      lanes,
      (valueOf) => {
        const [place, stored] = [fresh('place'), fresh('stored')]
        main.add(`let ${place} = ${sum([before, times(team.member, lanes)])};`, `let ${stored} = ${first} + ${place};`)
        main.block(`if (${isShared(place)} && ${isOne(stored)})`, () => {
          const keep = store()
          eachLane(shader, lanes, team.member, (k) => {
            keep(sum([first, before, operand(k)]), valueOf(k))
          })
        })
      },
    ])
  }
  if (results <= division.results) {
    round('0u')
    return
  }
  const before = fresh('before')
  main.block(`for (var ${before} = 0u; ${before} < ${u32(results)}; ${before} += ${u32(division.results)})`, () => {
    round(before)
  })
}

/** Whether neighbouring results are nearer in memory than neighbouring terms. */
export const isAcross = ({ box: { domain, kept } }: Loops): boolean => {
  const step = (axis: number): number =>
    domain.tracks.slice(1).reduce((total, { strides }) => total + Math.abs(at(strides, axis)), 0)
  return step(kept - 1) < step(domain.lengths.length - 1)
}

/** How a reduction is given to workgroups. */
interface Teams {
  readonly workgroup: number
  readonly division: Division
  /** Parts into which the terms of each result are cut. */
  readonly parts: number
}

/** Invocations that occupy a GPU: some thousands of cores, each of which waits for memory with several. */
const enough = 2 ** 16

/** Invocations of a workgroup, terms that an invocation of it has at least where results are cut, and the most parts. */
const [wide, leastTerms, mostParts] = [256, 16, 256]

/** Terms of one invocation that take as long as a second launch, where neighbours read neighbouring results, and where they read neighbouring terms. */
const [longAcross, longAlong] = [256, 1024]

/** Neighbours that read a line of memory together. */
const line = 32

/** Teams for a reduction; undefined where an invocation for each result is enough. */
export const teamsFor = (kernel: ReduceKernel, loops: Loops): Teams | undefined => {
  const { domain, kept } = loops.box
  const [results, terms] = [kernel.size, product(domain.lengths.slice(kept))]
  const across = isAcross(loops)
  if (terms <= line / 2 || (results >= enough && (across || terms <= 2 * line))) return undefined
  const lanes = lanesOf([kernel.dtype])
  const needed = powerOfTwo(Math.min(enough / results, terms / 4))
  const most = across ? wide / Math.min(line, powerOfTwo(results)) : wide
  const each = Math.min(most, wide / lanes, Math.max(across ? 1 : line, needed))
  if (each === 1) return undefined
  const isLong = terms / each > (across ? longAcross : longAlong)
  const parts = isLong
    ? Math.min(Math.ceil(enough / (results * each)), Math.floor(terms / (each * leastTerms)), mostParts)
    : 1
  return { workgroup: wide, division: { results: wide / each, each, across }, parts: Math.max(1, parts) }
}

const teamOf = (workgroup: number): Team => ({ size: workgroup, workgroup, member: 'lane' })

/** Workgroups that reduce into `store`, each its results in one of the parts. */
const phaseOf = (
  kernel: ReduceKernel,
  target: Target,
  { workgroup, division, parts }: Teams,
  { lanes, dtypes }: Pick<Share, 'lanes' | 'dtypes'>,
  write: (shader: Shader, part: string) => { readonly terms: Terms; readonly store: Share['store'] },
): Phase => {
  const groups = Math.ceil(kernel.size / division.results)
  return {
    groups: groups * parts,
    written: writeShader(workgroup, (shader) => {
      const { main, fresh, number } = shader
      const [first, part] = [fresh('first'), fresh('part')]
      const [size, own] = [number(kernel.size), parts === 1 ? 'group' : `(group % ${number(groups)})`]
      main.add(`let ${first} = ${own} * ${u32(division.results)};`)
      if (parts > 1) main.add(`let ${part} = group / ${number(groups)};`)
      const { terms, store } = write(shader, part)
      const share: Share = {
        team: teamOf(workgroup),
        division,
        results: division.results,
        first,
        lanes,
        store,
        dtypes,
        isOne: (result) => `${result} < ${size}`,
        operation: kernel.operation,
      }
      reducedByTeam(shader, target, share, terms)
    }),
  }
}

/** Stores results in their dtype. */
export const storesResults = (shader: Shader, kernel: ReduceKernel, { addressOf }: BodyOptions): Share['store'] => {
  const address = addressOf({ buffer: kernel.output })
  const [from, dtype] = dtypesOf(kernel)
  return () => {
    const out = outputOf(shader, address, dtype)
    return (result, value) => {
      out.store(result, finished(shader, value, from, dtype))
    }
  }
}

/** A reduction by teams; with several parts, a second phase adds these up. */
export const byTeams = (kernel: ReduceKernel, loops: Loops, teams: Teams, target: Target): Generated => {
  const [from, to] = dtypesOf(kernel)
  const partial = partialDType(from, to)
  const { workgroup, division } = teams
  if (teams.parts === 1)
    return inOrder([
      phaseOf(kernel, target, teams, { lanes: lanesOf([to]), dtypes: [from, to] }, (shader) => {
        const options = { addressOf: addresses(shader) }
        return { terms: termsOf(shader, loops, options), store: storesResults(shader, kernel, options) }
      }),
    ])
  const count = product(loops.box.domain.lengths.slice(loops.box.kept))
  const length = Math.ceil(count / teams.parts)
  const parts = Math.ceil(count / length)
  const scratch = { kind: 'scratch', offset: 0 } as const
  const first = phaseOf(kernel, target, { ...teams, parts }, { lanes: 1, dtypes: [from, to] }, (shader, part) => {
    const { main, fresh, address, memory, number } = shader
    const options = { addressOf: addresses(shader) }
    const [begin, end, out, size] = [fresh('begin'), fresh('end'), address(scratch), number(kernel.size)]
    main.add(`let ${begin} = ${part} * ${u32(length)};`, `let ${end} = min(${begin} + ${u32(length)}, ${u32(count)});`)
    const store: Share['store'] = () => (result, value) => {
      main.add(`${memory(out)}[${out.name} + ${part} * ${size} + ${result}] = ${bitsOf(shader, value, partial)};`)
    }
    return { terms: { ...termsOf(shader, loops, options, [begin, end]), count: length }, store }
  })
  const each = Math.min(powerOfTwo(parts / 4), workgroup / line, division.each)
  const joining: Teams = { workgroup, division: { results: workgroup / each, each, across: true }, parts: 1 }
  const second = phaseOf(kernel, target, joining, { lanes: lanesOf([to]), dtypes: [partial, partial] }, (shader) => {
    const [input, size] = [shader.address(scratch), shader.number(kernel.size)]
    const terms: Terms = {
      count: parts,
      bounds: ['0u', u32(parts)],
      of: (result) => (part) => load(shader, input, sum([`${part} * ${size}`, result]), partial),
    }
    return { terms, store: storesResults(shader, kernel, { addressOf: addresses(shader) }) }
  })
  return inOrder([first, second], 4 * kernel.size * parts, { parts })
}
