/** What the page shows, as a value; and how it changes by what the Worker tells and a person does. Nothing here touches the document. */
import { emptyCurve, extended, type Curve, type Point } from './curve.ts'
import type { Sheet, Skipped, Told } from './messages.ts'

/** What the Worker is at. */
export type Phase = 'opening' | 'ready' | 'preparing' | 'training' | 'stopping' | 'resting' | 'broken'

/** A sheet with the step that it was drawn after. */
export interface Drawn {
  readonly step: number
  readonly sheet: Sheet
}

/** Everything that is shown. */
export interface View {
  readonly phase: Phase
  /** The device in one line; empty until one is open. */
  readonly device: string
  /** What happens before the first step. */
  readonly preparing: string
  readonly step: number
  readonly steps: number
  readonly sampleEvery: number
  readonly loss: number | undefined
  readonly curve: Curve
  /** Losses on pictures that were held out. */
  readonly heldOut: readonly Point[]
  /** The last of them as a multiple of the best constant guess. */
  readonly relative: number | undefined
  /** A mean over the last steps. */
  readonly secondsPerStep: number | undefined
  readonly facts: string
  readonly warnings: readonly string[]
  readonly skipped: readonly Skipped[]
  /** How far a sheet is. */
  readonly drawing: { readonly done: number; readonly total: number } | undefined
  readonly real: Sheet | undefined
  readonly drawn: Drawn | undefined
  readonly saved: { readonly name: string; readonly size: number } | undefined
  /** What failed, in plain words. */
  readonly failure: string | undefined
}

/** Before anything was told. */
export const firstView: View = {
  phase: 'opening',
  device: '',
  preparing: 'Opening the device',
  step: 0,
  steps: 0,
  sampleEvery: 0,
  loss: undefined,
  curve: emptyCurve,
  heldOut: [],
  relative: undefined,
  secondsPerStep: undefined,
  facts: '',
  warnings: [],
  skipped: [],
  drawing: undefined,
  real: undefined,
  drawn: undefined,
  saved: undefined,
  failure: undefined,
}

/** A view without a run: the device, and what was said of it. */
const withoutRun = ({ device }: View): View => ({ ...firstView, device, preparing: '' })

/** What a person has asked for, as the page shows it until the Worker answers. */
export const asked = (view: View, command: 'open' | 'start' | 'stop' | 'continue' | 'draw' | 'save'): View => {
  switch (command) {
    case 'open':
      return firstView
    case 'start':
      return { ...withoutRun(view), phase: 'preparing', preparing: 'Preparing' }
    case 'stop':
      return { ...view, phase: 'stopping' }
    case 'continue':
      return { ...view, phase: 'training', failure: undefined }
    case 'draw':
      return { ...view, drawing: { done: 0, total: 1 }, failure: undefined }
    case 'save':
      return { ...view, saved: undefined, failure: undefined }
  }
}

/** `187,347 weights · 21 MB a step · 64 held out` */
const factsOf = ({ parameters, memory, data }: Extract<Told, { readonly kind: 'started' }>): string =>
  [`${parameters.toLocaleString('en-US')} weights`, `${Math.max(1, Math.round(memory / 1e6))} MB a step`, data].join(
    ' · ',
  )

/** The view after the Worker has told something. */
export const heard = (view: View, told: Told): View => {
  switch (told.kind) {
    case 'opened':
      return { ...view, phase: 'ready', device: told.description, preparing: '' }
    case 'preparing':
      return { ...view, preparing: told.what }
    case 'started': {
      const { steps, sampleEvery, warnings, skipped } = told
      return { ...view, phase: 'training', preparing: '', steps, sampleEvery, warnings, skipped, facts: factsOf(told) }
    }
    case 'stepped': {
      const { step, loss, seconds } = told
      const before = view.secondsPerStep ?? seconds
      const curve = extended(view.curve, step, loss)
      return { ...view, step, loss, curve, secondsPerStep: 0.9 * before + 0.1 * seconds }
    }
    case 'measured':
      return { ...view, relative: told.relative, heldOut: [...view.heldOut, [told.step, told.loss]] }
    case 'drawing':
      return { ...view, drawing: told.done === told.total ? undefined : { done: told.done, total: told.total } }
    case 'real':
      return { ...view, real: told.sheet }
    case 'drawn':
      return { ...view, drawn: { step: told.step, sheet: told.sheet }, drawing: undefined }
    case 'rested':
      return { ...view, phase: 'resting', step: told.step }
    case 'saved':
      return { ...view, saved: { name: told.name, size: told.bytes.length } }
    case 'failed':
      return failed(view, told.why, told.goesOn)
  }
}

/** The view after a failure: of a run that goes on, of the beginning of one, or of the device. */
const failed = (view: View, failure: string, goesOn: boolean): View => {
  if (goesOn) return { ...view, failure, drawing: undefined }
  return view.device === ''
    ? { ...view, phase: 'broken', preparing: '', failure }
    : { ...view, phase: 'ready', preparing: '', drawing: undefined, failure }
}

/** What may be pressed. */
export const allowed = ({ phase, step, steps, drawing }: View) => {
  const rests = phase === 'resting' && drawing === undefined
  return {
    start: phase === 'ready' || rests,
    stop: phase === 'training',
    continue: rests && step < steps,
    use: phase === 'training' || phase === 'resting', // draw and save
    choose: phase === 'ready' || rests || phase === 'broken',
  }
}

const two = (n: number): string => String(n).padStart(2, '0')

/** `1:02:03`, `2:03` */
export const inTime = (seconds: number): string => {
  const whole = Math.max(0, Math.round(seconds))
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}

/** What the page says of itself in one line. */
export const statusOf = ({ phase, preparing, step, steps }: View): string => {
  switch (phase) {
    case 'opening':
    case 'preparing':
      return `${preparing} …`
    case 'ready':
      return 'Ready. Nothing leaves this machine.'
    case 'training':
      return 'Training.'
    case 'stopping':
      return 'Finishing the step …'
    case 'resting':
      return step < steps ? `Stopped after step ${step}.` : `Done: all ${steps} steps.`
    case 'broken':
      return 'No device is open.'
  }
}
