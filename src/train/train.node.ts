/**
 * Training: `train` begins a run, `resume` continues one exactly where its newest checkpoint stands. The loop is the only place that
 * changes anything; the steps that it runs are pure.
 */
import { setImmediate } from 'node:timers/promises'
import { batchAt } from '../data/batches.ts'
import type { RunLock } from '../io/index.ts'
import { range } from '../prelude/array.ts'
import { pipe, TE } from '../prelude/fp.ts'
import type { Device } from '../tensor/device.ts'
import { key } from '../tensor/random.ts'
import type { TrainConfig } from './trainConfig.ts'
import { openData, type OpenedData } from './data.node.ts'
import { drawerOn } from './draw.ts'
import type { TrainEvent, TrainHooks, TrainSummary } from './events.ts'
import { factsOf } from './facts.ts'
import { fail, guarded, need } from './failure.ts'
import { heldOutOn, type HeldOut } from './heldOut.ts'
import { openDevice, requireMemory } from './openDevice.ts'
import { initialState, recipeOf, type Params, type Recipe, type TrainState } from './recipe.ts'
import {
  configHash,
  createRun,
  drawChart,
  metricsOf,
  openRun,
  readConfig,
  record,
  requireFree,
  restore,
  rewind,
  save,
  writeFirstBatch,
  writeSamples,
  type Restored,
} from './runDirectory.node.ts'
import type { Progress } from './stateFiles.ts'
import { stepperOn, type Stepper } from './step.ts'
import { trainError, type TrainError } from './trainError.ts'

/** The noise of the sheets of samples: always the same, so that sheets compare. */
const sheetSeed = 0

/** Everything that the loop uses. */
interface Workshop {
  readonly recipe: Recipe
  readonly device: Device
  readonly opened: OpenedData
  readonly stepper: Stepper
  readonly measure: (params: Params) => Promise<HeldOut>
  readonly draw: (params: Params) => Promise<readonly Uint8Array[]>
  readonly emit: (event: TrainEvent) => void
  readonly signal: AbortSignal | undefined
}

const progressAt = ({ recipe: { config }, device, opened }: Workshop, step: number): Progress => ({
  step,
  seed: config.seed,
  configHash: configHash(config),
  data: opened.fingerprint,
  device: device.name,
  ...(device.machine === undefined ? {} : { machine: device.machine }),
})

const saveAt = async (shop: Workshop, state: TrainState, step: number): Promise<void> => {
  const path = await need(save(shop.device, shop.recipe.config.out, state, progressAt(shop, step)))
  shop.emit({ _tag: 'Saved', step, path })
}

const isDue = (step: number, every: number, steps: number): boolean => step % every === 0 || step === steps

/** One step with its reports; the state after it. */
const advance = async (
  shop: Workshop,
  state: TrainState,
  step: number,
): Promise<{ readonly state: TrainState; readonly loss: number; readonly heldOut?: HeldOut }> => {
  const { config } = shop.recipe
  const count = config.batch * config.accumulate
  const start = performance.now()
  const before = (step - 1) * count
  // Micro-batch by micro-batch: the pictures of all of them may be more than memory holds.
  const pictures = (first: number, n: number): Uint8Array => batchAt(shop.opened.data, before + first, n)
  const [next, measured] = await shop.stepper.run(state, pictures, step)
  const [loss = NaN] = await shop.device.read(measured.loss)
  const imagesPerSecond = (1000 * count) / (performance.now() - start)
  if (!Number.isFinite(loss))
    fail(
      trainError(
        'DIVERGED',
        `the loss is ${loss} at step ${step} of ${config.out}: the run is stopped, its checkpoints from before are untouched; start another with a lower --lr than ${config.learningRate}`,
      ),
    )
  shop.emit({ _tag: 'Stepped', step, steps: config.steps, loss, imagesPerSecond })
  const heldOut = isDue(step, config.heldOutEvery, config.steps) ? await shop.measure(next.params) : undefined
  await need(
    record(config.out, {
      step,
      loss,
      ...(heldOut && { heldOut: heldOut.loss, heldOutRelative: heldOut.relative }),
      imagesPerSecond: Number(imagesPerSecond.toPrecision(4)),
    }),
  )
  if (heldOut !== undefined) {
    shop.emit({ _tag: 'HeldOut', step, ...heldOut })
    await need(drawChart(config.out))
  }
  if (isDue(step, config.sampleEvery, config.steps)) {
    const path = await need(writeSamples(config, step, await shop.draw(next.average)))
    shop.emit({ _tag: 'Sampled', step, path })
  }
  return heldOut === undefined ? { state: next, loss } : { state: next, loss, heldOut }
}

/** The loop, from the step after `from` to the last or to the signal. */
const loop = async (shop: Workshop, begin: TrainState, from: number): Promise<TrainSummary> => {
  const { config } = shop.recipe
  const start = performance.now()
  let state = begin
  let step = from
  let saved = from
  let last: { readonly loss?: number; readonly heldOut?: number; readonly heldOutRelative?: number } = {}
  while (step < config.steps && shop.signal?.aborted !== true) {
    step++
    const after = await advance(shop, state, step)
    state = after.state
    last = {
      ...last,
      loss: after.loss,
      ...(after.heldOut && { heldOut: after.heldOut.loss, heldOutRelative: after.heldOut.relative }),
    }
    if (isDue(step, config.saveEvery, config.steps)) {
      await saveAt(shop, state, step)
      saved = step
    }
    await setImmediate() // lets signals in
  }
  const interrupted = step < config.steps
  if (saved !== step) await saveAt(shop, state, step)
  if (interrupted) await need(drawChart(config.out))
  return {
    directory: config.out,
    step,
    steps: config.steps,
    interrupted,
    ...last,
    seconds: (performance.now() - start) / 1000,
  }
}

/** Prepares what the loop uses, brings the state to the device, runs, and closes the device. */
const work = async (
  device: Device,
  config: TrainConfig,
  opened: OpenedData,
  hooks: TrainHooks,
  found?: Restored,
): Promise<TrainSummary> => {
  const emit = hooks.onEvent ?? (() => undefined)
  const recipe = recipeOf(config)
  try {
    const state =
      found === undefined
        ? await device.compile((seed: ReturnType<typeof key>) => initialState(recipe, seed))(key(config.seed))
        : await device.realize(found.state)
    const base = { recipe, device, opened, stepper: stepperOn(device, recipe), emit, signal: hooks.signal }
    const from = found?.progress.step ?? 0
    for (const message of [...opened.warnings, ...(found?.warnings ?? []), ...changedData(config, found, opened)])
      emit({ _tag: 'Warning', message })
    const plan = base.stepper.plan(state)
    await need(TE.fromEither(requireMemory(device, base.stepper.bytes(state))))
    const facts = factsOf({ recipe, state, plan, device: device.description, pictures: opened.summary })
    emit({ _tag: 'Started', facts, from })
    const draw = drawerOn(device, recipe, { count: config.sampleCount, steps: config.sampleSteps, seed: sheetSeed })
    const shop: Workshop = { ...base, draw, measure: whenAsked(() => heldOutOn(device, recipe, opened.data)) }
    if (found === undefined) await begin(shop, state)
    return await loop(shop, state, from)
  } finally {
    await device.close()
  }
}

/** A measurement that is prepared when it is first asked for: a run that stops before needs none. */
const whenAsked = (
  prepare: () => Promise<(params: Params) => Promise<HeldOut>>,
): ((params: Params) => Promise<HeldOut>) => {
  let prepared: ReturnType<typeof prepare> | undefined
  return async (params) => {
    prepared ??= prepare()
    return (await prepared)(params)
  }
}

/** A new run: what the network will see, and a checkpoint to come back to. */
const begin = async (shop: Workshop, state: TrainState): Promise<void> => {
  const { config } = shop.recipe
  const pictures = range(Math.min(config.batch, 64)).map((i) => shop.opened.data.picture(i))
  await need(writeFirstBatch(config, pictures))
  await saveAt(shop, state, 0)
}

const changedData = ({ folder }: TrainConfig, found: Restored | undefined, opened: OpenedData): readonly string[] =>
  found === undefined || found.progress.data === opened.fingerprint
    ? []
    : [
        `the pictures in ${folder} have changed (${found.progress.data} then, ${opened.fingerprint} now): the run goes on with those there are, but not as it would have`,
      ]

/** Runs, and gives the lock back whatever happens. */
const locked = (lock: RunLock, run: () => Promise<TrainSummary>): TE.TaskEither<TrainError, TrainSummary> =>
  guarded(async () => {
    try {
      return await run()
    } finally {
      await lock.release()
    }
  })

/**
 * Trains a new run in `config.out`.
 *
 * @returns the summary, also when it was interrupted by the signal; Left when the directory holds a run, the pictures cannot be used, …
 * @example
 * ```ts
 * import { configOf, train } from 'fathom/train'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 *
 * const model = { width: 4, multipliers: [1], heads: 1, headWidth: 4 }
 * const config = configOf({ out: 'run', height: 8, width: 8, model, batch: 2, steps: 2, sampleCount: 1, sampleSteps: 1 })
 * const run = pipe(TE.fromEither(config), TE.chain(train))
 * await run() // => right({ directory: 'run', step: 2, steps: 2, interrupted: false, … })
 * await run() // => left({ code: 'RUN-EXISTS', … })
 * ```
 */
export const train = (config: TrainConfig, hooks: TrainHooks = {}): TE.TaskEither<TrainError, TrainSummary> =>
  pipe(
    requireFree(config.out), // before minutes are spent on decoding photographs
    TE.chain(() => openData(config)),
    TE.bindTo('opened'),
    TE.bind('device', () => openDevice(config.device, hooks.deviceOptions)),
    TE.bind('lock', ({ device }) =>
      pipe(
        createRun(config),
        TE.orElseFirst(() => TE.fromTask(() => device.close())),
      ),
    ),
    TE.chain(({ opened, device, lock }) => locked(lock, () => work(device, config, opened, hooks))),
  )

/**
 * Continues the run in a directory from its newest valid checkpoint, with the same bits as if it had never stopped.
 *
 * @returns the summary, at once if the run is complete; Left when there is no run, no valid checkpoint, or another process works on it
 * @example
 * ```ts
 * import { configOf, resume, train, type TrainHooks } from 'fathom/train'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 *
 * const model = { width: 4, multipliers: [1], heads: 1, headWidth: 4 }
 * const config = configOf({ out: 'run', height: 8, width: 8, model, batch: 2 })
 * const oneStep = (): TrainHooks => {
 *   const stop = new AbortController()
 *   return { signal: stop.signal, onEvent: ({ _tag }) => (_tag === 'Stepped' ? stop.abort() : undefined) }
 * }
 * const begin = pipe(
 *   TE.fromEither(config),
 *   TE.chain((c) => train(c, oneStep())),
 * )
 * await begin() // => right({ step: 1, steps: 600, interrupted: true, … })
 * await resume('run', oneStep())() // => right({ step: 2, steps: 600, interrupted: true, … })
 * ```
 */
export const resume = (directory: string, hooks: TrainHooks = {}): TE.TaskEither<TrainError, TrainSummary> =>
  pipe(
    readConfig(directory),
    TE.bindTo('config'),
    TE.bind('lock', () => openRun(directory)),
    TE.chain(({ config, lock }) =>
      locked(lock, async () => {
        const found = await need(restore(config, initialState(recipeOf(config), key(0))))
        const { step } = found.progress
        await need(rewind(directory, step))
        if (step >= config.steps) return completed(config, step)
        const opened = await need(openData(config))
        const device = await need(openDevice(config.device, hooks.deviceOptions, found.progress.machine))
        return work(device, config, opened, hooks, found)
      }),
    ),
  )

/** The summary of a run that has nothing left to do. */
const completed = async (config: TrainConfig, step: number): Promise<TrainSummary> => {
  const metrics = await need(metricsOf(config.out))
  const numbers = (name: string): readonly number[] =>
    metrics.flatMap((m) => (typeof m[name] === 'number' ? [m[name]] : []))
  const [loss, heldOut, heldOutRelative] = ['loss', 'heldOut', 'heldOutRelative'].map((name) => numbers(name).at(-1))
  return {
    directory: config.out,
    step,
    steps: config.steps,
    interrupted: false,
    ...(loss !== undefined && { loss }),
    ...(heldOut !== undefined && { heldOut }),
    ...(heldOutRelative !== undefined && { heldOutRelative }),
    seconds: 0,
  }
}
