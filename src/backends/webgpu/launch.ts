/**
 * What is launched for a plan: dispatches, each with its block of words. Phases of several kernels that have one text, and need not wait for each
 * other, become one dispatch whose block is a table of them.
 */
import { at } from '../../prelude/array.ts'
import type { Phase } from './phase.ts'
import type { Shape } from './pipelines.ts'
import { bind, headWords, inOneText, skeletonOf, type Pointer, type Word } from './wgsl/shader.ts'

/** One launch. */
export interface Launch extends Shape {
  /** The pieces of memory that it binds, in order. */
  readonly chunks: readonly number[]
  /** Workgroups of all members. */
  readonly groups: number
  readonly members: number
  /** The words of its block behind those of its head. */
  readonly words: readonly Word[]
  /** Words that its text says the block has. */
  readonly blockWords: number
}

/** In which piece of memory a pointer leads. */
export type ChunkOf = (pointer: Pointer) => number

/** Words of a uniform block on every adapter. */
const mostWords = 4 * 4096

/** The size of a block in a text: few sizes, so that texts are shared. */
const blockWordsOf = (words: number): number => Math.max(64, 2 ** Math.ceil(Math.log2(words)))

/** Phases of one skeleton, with memories in one order. */
interface Same {
  readonly phases: Phase[]
  readonly chunks: readonly number[]
  readonly memories: readonly number[]
}

const isPointer = (word: Word): word is Pointer => word.kind !== 'number'

const table = (phases: readonly Phase[]): readonly Word[] => {
  let groups = 0
  return phases.flatMap(({ written, groups: own }): readonly Word[] => {
    groups += own
    return [{ kind: 'number', value: groups }, ...written.words]
  })
}

const launchOf = ({ chunks, memories }: Same, phases: readonly Phase[]): Launch => {
  const { written } = at(phases, 0)
  const many = phases.length > 1
  const words = many ? table(phases) : written.words
  const blockWords = blockWordsOf(headWords + words.length)
  return {
    text: bind(written, { memories, many, words: blockWords }),
    memories: chunks.length,
    chunks,
    groups: phases.reduce((sum, { groups }) => sum + groups, 0),
    members: phases.length,
    words,
    blockWords,
  }
}

/** Phases whose texts differ in numbers alone, with one text. */
const united = (phases: readonly Phase[]): readonly Phase[] => {
  const written = inOneText(phases.map((p) => p.written))
  return phases.map((phase, i) => ({ ...phase, written: at(written, i) }))
}

/** The launches of phases that may run side by side, where memory lies so. */
export const launchesOf = (phases: readonly Phase[], chunkOf: ChunkOf): readonly Launch[] => {
  const bySkeleton = new Map<string, Same>()
  for (const phase of phases) {
    if (phase.groups === 0) continue
    const all = phase.written.words.filter(isPointer).map(chunkOf)
    const chunks = [...new Set(all)].toSorted((a, b) => a - b)
    const key = `${all.join()} ${phases.length === 1 ? '' : skeletonOf(phase.written)}`
    const same = bySkeleton.get(key)
    if (same === undefined)
      bySkeleton.set(key, { phases: [phase], chunks, memories: all.map((c) => chunks.indexOf(c)) })
    else same.phases.push(phase)
  }
  return [...bySkeleton.values()].flatMap((same) => {
    const members = united(same.phases)
    const each = Math.max(1, Math.floor((mostWords - headWords) / (at(members, 0).written.words.length + 1)))
    return Array.from({ length: Math.ceil(members.length / each) }, (_, i) =>
      launchOf(same, members.slice(i * each, (i + 1) * each)),
    )
  })
}
