/** The forms that a backend has chosen: given with a run, found in the user's cache, or measured when a plan first needs them. */
import { isRecord } from '../../prelude/record.ts'
import type { Plan } from '../../compiler/plan.ts'
import type { Choices, Executable, Kept } from '../backend.ts'
import type { GpuMemory } from './memory.ts'
import type { Target } from './target.ts'
import type { TunedStore } from './tuned.ts'
import { learn, subjectsOf, type Bench, type Forms } from './tuning.ts'

/** What chooses. */
export interface Tuner {
  /** The device with what was chosen for it. */
  readonly target: Target
  /** What was chosen so far; it grows. Absent where there is no choice. */
  readonly choices?: Choices
  /** Whether a plan needs a measurement first. */
  readonly needs: (plan: Plan) => boolean
  readonly measure: (plan: Plan, bench: Bench) => Promise<void>
  /** What is kept for the next program, where something is. */
  readonly kept?: Kept
}

/** How forms are chosen. */
export interface TunerOptions {
  /** Whether what is not known is measured. */
  readonly tune: boolean
  /** The choices of an earlier run. */
  readonly choices?: Choices | undefined
  readonly store?: TunedStore
  /** What the store held. */
  readonly found?: Forms
}

const isForms = (x: unknown): x is Forms => isRecord(x) && Object.values(x).every((form) => typeof form === 'string')

/** The forms of an earlier run. @throws Error where they are none */
const formsIn = (choices: Choices | undefined): Forms => {
  if (choices === undefined) return {}
  const { forms, ...others } = choices
  if (!isForms(forms) || Object.keys(others).length > 0)
    throw new Error(
      `webgpu: its choices are the forms of contractions, { forms: { … } }, and it was given ${JSON.stringify(choices)}`,
    )
  return forms
}

const keptIn = ({ where, load, forget }: TunedStore): Kept => ({
  describe: async () => {
    const count = Object.keys(await load()).length
    return count === 0
      ? 'the first run measures which forms of its contractions are the fastest'
      : `the fastest forms of ${count} classes of contractions were measured: ${where}`
  },
  forget,
})

/** Opens a tuner for a device. */
export const openTuner = (device: Target, { tune, choices, store, found = {} }: TunerOptions): Tuner => {
  const given = formsIn(choices)
  const known: Forms = { ...found }
  const used: Forms = {}
  const target: Target = {
    ...device,
    choose: (shapeClass, forms) => {
      const asked = given[shapeClass]
      if (asked !== undefined && !forms.includes(asked))
        throw new Error(
          `webgpu: ${shapeClass} was computed in the form ${asked}, which this GPU, or this version of fathom, does not have: begin the run anew, or go on with --device wasm`,
        )
      const found = asked ?? device.choose?.(shapeClass, forms) ?? known[shapeClass]
      const form = found !== undefined && forms.includes(found) ? found : forms[0]
      if (form !== undefined && forms.length > 1) used[shapeClass] = form // a guess too: a run that goes on has the same bits
      return form
    },
  }
  return {
    target,
    ...(device.software ? {} : { choices: { forms: used } }),
    ...(store === undefined ? {} : { kept: keptIn(store) }),
    needs: (plan) => tune && subjectsOf(plan, target, { ...known, ...given }).length > 0,
    measure: async (plan, bench) => {
      await learn(plan, device, bench, {
        known: { ...known, ...given },
        note: (shapeClass, form) => {
          known[shapeClass] = form
        },
      })
      await store?.save(known)
    },
  }
}

/** A program that is made when something has been done first. */
export const made = (program: Promise<Executable<GpuMemory>>): Executable<GpuMemory> => {
  let ready: Executable<GpuMemory> | undefined
  let isReleased = false
  const there = (): Executable<GpuMemory> => {
    if (ready === undefined) throw new Error('webgpu: a program was run before it was ready')
    return ready
  }
  const finish = async (): Promise<void> => {
    const executable = await program
    await executable.ready
    ready = executable
    if (isReleased) executable.release()
  }
  return {
    ready: finish(),
    run: (inputs, outputs) => {
      there().run(inputs, outputs)
    },
    profile: async (inputs, outputs) => there().profile?.(inputs, outputs) ?? [],
    release: () => {
      isReleased = true
      ready?.release()
    },
    get choices() {
      return ready?.choices ?? []
    },
    source: () => there().source?.() ?? [],
  }
}
