/**
 * A run that a page leads: it can be stopped between two steps and go on from there, and is asked for pictures and weights meanwhile. It knows
 * neither the Worker nor the document: it is given a device and pictures, and tells what happens.
 */
import { foldIn, key, type Device } from 'fathom'
import { ddim, sampling } from 'fathom/diffusion'
import type { TrainingData } from 'fathom/data'
import {
  diffusionTask,
  drain,
  encodeWeights,
  pictureSource,
  prepareRun,
  steps,
  type DiffusionTask,
  type Measured,
  type Params,
  type Report,
  type RunFacts,
  type Sink,
  type DiffusionRun,
} from 'fathom/train'
import type { Sheet, Told } from './messages.ts'
import { sheetCount } from './settings.ts'

/** What is trained on what. */
export interface Job {
  readonly device: Device
  readonly config: DiffusionRun
  readonly data: TrainingData
  /** One line about the pictures. */
  readonly summary: string
}

/** A run that is prepared. */
export interface Trainer {
  readonly facts: Pick<RunFacts, 'parameters' | 'memory'>
  /** Real pictures, for a person to compare with. */
  readonly real: Sheet
  /** Steps that are done. */
  readonly step: () => number
  /** Makes the steps that are left, until the signal. */
  readonly run: (signal: AbortSignal) => Promise<void>
  /** Draws a sheet from noise that was not used yet: now, or while training after the step. */
  readonly draw: () => Promise<void>
  /** The file of the averaged weights: now, or while training after the step. */
  readonly save: () => Promise<void>
}

/** A number in [−1, 1] as a byte. */
const toByte = (x: number): number => Math.round((Math.min(1, Math.max(-1, x)) + 1) * 127.5)

/** Compiles what draws a sheet from averaged weights; the same noise gives the same pictures. */
const drawerOn = (device: Device, { config, model, schedule }: DiffusionTask, tell: (told: Told) => void) => {
  const { height, width, sampleSteps, objective } = config
  const walk = sampling({
    device,
    denoise: (params: Params, x, t) => model.apply(params, { x, t }),
    prediction: objective,
    sampler: ddim(schedule, { steps: sampleSteps }),
    shape: [sheetCount, height, width, 3],
  })
  return async (params: Params, noise: number): Promise<Sheet> => {
    const onStep = (done: number, total: number): void => tell({ kind: 'drawing', done, total })
    const { x } = await walk(params, foldIn(foldIn(key(config.seed), 'page'), noise), { onStep })
    const values = await device.read(x)
    if (!values.every(Number.isFinite))
      throw new Error('The network draws what is no number: start again, with another seed.')
    return { side: width, count: sheetCount, bytes: Uint8Array.from(values, toByte) }
  }
}

/** The first pictures of training. */
const firstOf = ({ picture, width }: TrainingData): Sheet => {
  const bytes = new Uint8Array(sheetCount * width * width * 3)
  for (let i = 0; i < sheetCount; i++) bytes.set(picture(i), i * width * width * 3)
  return { side: width, count: sheetCount, bytes }
}

/** `seas-16-600.safetensors`: what was learned, at which size, in how many steps. */
const nameOf = ({ folder, width }: DiffusionRun, step: number): string =>
  `${folder === null ? 'seas' : 'pictures'}-${width}-${step}.safetensors`

/** Whether something that is done every so many steps is done after this one: also after the last. */
const isDue = ({ step, steps }: Report<unknown>, every: number): boolean => step % every === 0 || step === steps

/** What is measured of the weights, by its name. */
type Measure = (params: Params) => Promise<Measured>

/** What the sinks of a run use. */
interface Sinks {
  readonly tell: (told: Told) => void
  readonly measure: Measure
  readonly drawAt: (report: Report<Params>) => Promise<void>
  /** What was asked for since the last step. */
  readonly answer: (report: Report<Params>) => Promise<void>
}

/** Where the reports of the run go: to the page, to the measurement, to sheets of samples, and to what was asked for meanwhile. */
const sinksOf = (
  { batch, heldOutEvery, sampleEvery }: DiffusionRun,
  { tell, measure, drawAt, answer }: Sinks,
): readonly Sink<Params>[] => {
  const sink = (take: (report: Report<Params>) => Promise<void>): Sink<Params> => ({
    take: (report) => async () => {
      await take(report)
      return { _tag: 'Right', right: undefined }
    },
  })
  return [
    sink(async ({ step, loss, examplesPerSecond }) =>
      tell({ kind: 'stepped', step, loss, seconds: batch / examplesPerSecond }),
    ),
    sink(async (report) => {
      if (!isDue(report, heldOutEvery)) return
      const { heldOut, heldOutRelative } = await measure(report.state.params)
      if (heldOut !== undefined && heldOutRelative !== undefined)
        tell({ kind: 'measured', step: report.step, loss: heldOut, relative: heldOutRelative })
    }),
    sink(async (report) => (isDue(report, sampleEvery) ? drawAt(report) : undefined)),
    sink(answer),
  ]
}

/** What a person is told when the loss is no number. */
const diverged = (what: string, step: number) =>
  ({
    _tag: 'TrainError',
    code: 'DIVERGED',
    message: `At step ${step} ${what}: start again, with another seed.`,
  }) as const

/**
 * Prepares a run: draws the first weights, plans the step, and sees that it fits into the device's memory.
 *
 * @throws Error with a sentence for people where it does not
 */
export const trainerFor = async (
  { device, config, data, summary }: Job,
  tell: (told: Told) => void,
): Promise<Trainer> => {
  const task = diffusionTask(config)
  const source = pictureSource(task, { data, fingerprint: summary, summary, warnings: [] })
  let facts: Trainer['facts'] = { parameters: 0, memory: 0 }
  const prepared = await prepareRun({
    config,
    task,
    source,
    device,
    configHash: '',
    emit: (event) => {
      if (event._tag !== 'Started') return
      const { parameters, memory } = event.facts
      facts = { parameters, memory }
    },
  })()
  if (prepared._tag === 'Left') throw new Error(prepared.left.message)
  const { stepper, state: begin } = prepared.right
  const drawSheet = drawerOn(device, task, tell)

  /** After the last step that was made; its state is what the next step consumes. */
  let last: Pick<Report<Params>, 'step' | 'state'> = { step: 0, state: begin }
  let noise = 0
  let running = false
  /** What was asked for during a step, and waits for its end. */
  let waiting: ((now: typeof last) => Promise<void>)[] = []

  const answer = async (now: typeof last): Promise<void> => {
    const asked = waiting
    waiting = []
    for (const work of asked) await work(now)
  }
  /** What is drawn or saved while no step is made. */
  let idle: Promise<unknown> = Promise.resolve()
  const ask = async (work: (now: typeof last) => Promise<void>): Promise<void> => {
    if (running) {
      waiting.push(work)
      return
    }
    const done = idle.then(() => work(last))
    idle = done.catch(() => undefined) // whoever asked hears of it
    await done
  }
  const drawFrom = async ({ step, state }: typeof last, from: number): Promise<void> =>
    tell({ kind: 'drawn', step, sheet: await drawSheet(state.averages[0], from) })

  let measuring: Promise<Measure> | undefined
  /** Prepared when it is first due: before the first step nobody waits for it. */
  const measure: Measure = async (params) => {
    measuring ??= source.measure?.(device)
    return (await measuring)?.(params) ?? {}
  }

  const sinks = sinksOf(config, { tell, measure, answer, drawAt: (report) => drawFrom(report, 0) }) // one noise, so that sheets compare
  return {
    facts,
    real: firstOf(data),
    step: () => last.step,
    run: async (signal) => {
      running = true
      await idle // the first step consumes the state from which something may be drawn still
      try {
        const course = { device, stepper, examples: source.examples, from: last.step, steps: config.steps, signal }
        const ended = await drain(steps(course, last.state), sinks, diverged)()
        if (ended._tag === 'Left') throw new Error(ended.left.message)
        last = ended.right ?? last
      } finally {
        running = false
      }
      await ask(answer)
    },
    draw: () => ask((now) => drawFrom(now, ++noise)),
    save: () =>
      ask(async ({ step, state }) =>
        tell({
          kind: 'saved',
          name: nameOf(config, step),
          bytes: await encodeWeights(device, config, state.averages[0]),
        }),
      ),
  }
}
