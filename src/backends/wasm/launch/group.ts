/**
 * Kernels side by side as one phase: the units of all members, one behind the other, which threads share. Who has some of them calls the
 * members' functions for what it has of each.
 */
import { at, range } from '../../../prelude/array.ts'
import type { KernelChoices } from '../../../compiler/choices.ts'
import {
  add,
  apply,
  branch,
  get,
  i32,
  loop,
  performIndirect,
  select,
  set,
  sub,
  when,
  type Expression,
  type Local,
} from '../assembler/code.ts'
import { block, relocated, words, type Parameter } from '../emit/block.ts'
import { fresh, inside, keep } from '../emit/emitter.ts'
import { code, phase, type Generated, type Phase } from '../emit/kernelCode.ts'

/** Words of a member in the table: behind its last unit, its function, its block. */
const memberWords = 3

const entry = (member: Local, word: number): Expression => apply('i32.load', [get(member)], 4 * word)

const groupCode = code(
  'group',
  () => block(words('members')),
  ({ e, words: w, first, last }) => {
    const member = fresh(e, 'member', 'i32')
    const begin = fresh(e, 'begin', 'i32')
    e.statements.push(set(member, w.members), set(begin, i32(0)))
    const turn = inside(e)
    turn.statements.push(
      loop('next', [
        when(apply('i32.ge_s', [get(first), entry(member, 0)]), [
          set(begin, entry(member, 0)),
          set(member, add(get(member), i32(4 * memberWords))),
          branch('next'),
        ]),
      ]),
    )
    const behind = keep(turn, 'behind', entry(member, 0))
    const end = keep(turn, 'end', select(apply('i32.lt_s', [behind, get(last)]), behind, get(last)))
    turn.statements.push(
      performIndirect(entry(member, 1), entry(member, 2), sub(get(first), get(begin)), sub(end, get(begin))),
      set(first, end),
      branch('members', apply('i32.lt_s', [get(first), get(last)])),
    )
    e.statements.push(when(apply('i32.lt_s', [get(first), get(last)]), [loop('members', turn.statements)]))
  },
)

const table = (phases: readonly Phase[]): readonly Parameter[] => {
  let units = 0
  return phases.flatMap((p): readonly Parameter[] => [
    (units += p.units),
    { kind: 'function', key: p.key },
    { kind: 'block', words: p.parameters },
  ])
}

const together = (phases: readonly Phase[]): Phase =>
  phase(
    groupCode,
    {},
    { members: { kind: 'block', words: table(phases) } },
    {
      units: phases.reduce((sum, p) => sum + p.units, 0),
      grain: Math.max(...phases.map((p) => p.grain)),
    },
    phases,
  )

/** The words with scratch memory so many bytes further on. */
const behindIn = (parameters: readonly Parameter[], bytes: number): readonly Parameter[] =>
  relocated(parameters, (p) => (typeof p !== 'number' && p.kind === 'scratch' ? { ...p, offset: p.offset + bytes } : p))

/** What was chosen for every member alike. */
const agreedOf = ([first = {}, ...others]: readonly KernelChoices[]): KernelChoices =>
  Object.fromEntries(Object.entries(first).filter(([what, chosen]) => others.every((o) => o[what] === chosen)))

/** Members side by side, each with scratch memory of its own: their first phases as one, then their second ones. */
export const group = (members: readonly Generated[]): Generated => {
  let scratch = 0
  const apart = members.map((member) => {
    const begin = scratch
    scratch += Math.ceil(member.scratch / 64) * 64
    return member.phases.map((p): Phase => (begin === 0 ? p : { ...p, parameters: behindIn(p.parameters, begin) }))
  })
  const most = Math.max(...apart.map((phases) => phases.length))
  return {
    phases: range(most).map((n) => {
      const side = apart.flatMap((phases) => (n < phases.length ? [at(phases, n)] : []))
      return side.length === 1 ? at(side, 0) : together(side)
    }),
    scratch,
    choices: agreedOf(members.map(({ choices = {} }) => choices)),
  }
}
