/**
 * Training: `train` begins a run, and the loop, in which `resume` (resume.node.ts) goes on. The loop is the only place that changes
 * anything; the steps that it runs are pure.
 */
import { setImmediate } from 'node:timers/promises'
import { batchAt } from '../data/batches.ts'
import { withdrawCheckpoint, type RunLock } from '../io/index.ts'
import { range } from '../prelude/array.ts'
import { pipe, TE } from '../prelude/fp.ts'
import type { Device } from '../tensor/device.ts'
import { key } from '../tensor/random.ts'
import { abandon, claim, requireFree, tidy } from './beginning.node.ts'
import type { TrainConfig } from './trainConfig.ts'
import { openData, type OpenedData } from './data.node.ts'
import { drawerOn } from './draw.ts'
import type { TrainEvent, TrainHooks, TrainSummary } from './events.ts'
import { factsOf } from './facts.ts'
import { fail, guarded, need } from './failure.ts'
import { diverged } from './finite.ts'
import { heldOutOn, type HeldOut } from './heldOut.ts'
import { requireLeast } from './leastMemory.node.ts'
import { openDevice, requireMemory } from './openDevice.ts'
import { initialState, recipeOf, type Params, type Recipe, type TrainState } from './recipe.ts'
import {
  configHash,
  drawChart,
  partOf,
  record,
  save,
  stillHeld,
  writeConfig,
  writeFirstBatch,
  writeSamples,
  type Restored,
} from './runDirectory.node.ts'
import { requireOutside } from './runPlace.node.ts'
import type { Progress } from './stateFiles.ts'
import { stepperOn, type Stepper } from './step.ts'
import { trainErrorOf, type TrainError } from './trainError.ts'

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

/** A workshop whose run this process holds: it may write. */
export interface LockedShop extends Workshop {
  readonly lock: RunLock
}

/** Writes to the run, if it is still this process's. */
const write = <A>({ lock }: LockedShop, task: TE.TaskEither<TrainError, A>): Promise<A> =>
  need(
    pipe(
      stillHeld(lock),
      TE.chain(() => task),
    ),
  )

const progressAt = ({ recipe: { config }, device, opened }: Workshop, step: number): Progress => ({
  step,
  steps: config.steps,
  seed: config.seed,
  configHash: configHash(config),
  data: opened.fingerprint,
  device: device.name,
  ...(device.choices === undefined ? {} : { machine: device.choices }),
})

const saveAt = async (shop: LockedShop, state: TrainState, step: number): Promise<void> => {
  const path = await write(shop, save(shop.device, shop.recipe.config, state, progressAt(shop, step)))
  shop.emit({ _tag: 'Saved', step, path })
}

const isDue = (step: number, every: number, steps: number): boolean => step % every === 0 || step === steps

/** A loss that is no number: the weights that it was measured with are no good, and nor is a checkpoint of them. */
const endDiverged = async (shop: LockedShop, loss: number, step: number): Promise<never> => {
  const { config } = shop.recipe
  await write(
    shop,
    pipe(withdrawCheckpoint(partOf(config.out, 'checkpoints'), step - 1), TE.mapLeft(trainErrorOf('CKPT'))),
  )
  return fail(diverged(config, `the loss is ${loss}`, step))
}

/** One step with its reports; the state after it. */
const advance = async (
  shop: LockedShop,
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
  if (!Number.isFinite(loss)) await endDiverged(shop, loss, step)
  shop.emit({ _tag: 'Stepped', step, steps: config.steps, loss, imagesPerSecond })
  const heldOut = isDue(step, config.heldOutEvery, config.steps) ? await shop.measure(next.params) : undefined
  if (heldOut !== undefined && !Number.isFinite(heldOut.loss))
    fail(diverged(config, `the loss on held-out pictures is ${heldOut.loss}`, step))
  await write(
    shop,
    record(config.out, {
      step,
      loss,
      ...(heldOut && { heldOut: heldOut.loss, heldOutRelative: heldOut.relative }),
      imagesPerSecond: Number(imagesPerSecond.toPrecision(4)),
    }),
  )
  if (heldOut !== undefined) {
    shop.emit({ _tag: 'HeldOut', step, ...heldOut })
    await write(shop, drawChart(config.out))
  }
  if (isDue(step, config.sampleEvery, config.steps)) {
    const pictures = await shop.draw(next.average)
    const path = await write(shop, writeSamples(config, step, pictures))
    shop.emit({ _tag: 'Sampled', step, path })
  }
  return heldOut === undefined ? { state: next, loss } : { state: next, loss, heldOut }
}

/** The loop, from the step after `from` to the last or to the signal. */
export const loop = async (shop: LockedShop, begin: TrainState, from: number): Promise<TrainSummary> => {
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
  if (interrupted) await write(shop, drawChart(config.out))
  return {
    directory: config.out,
    step,
    steps: config.steps,
    interrupted,
    ...last,
    seconds: (performance.now() - start) / 1000,
  }
}

/** What a run begins or goes on with. */
export interface Job {
  readonly config: TrainConfig
  readonly hooks: TrainHooks
  readonly found?: Restored
  /** Sentences for the user, before the first step; of the pictures too, once they are open. */
  readonly notes: (opened: OpenedData) => readonly string[]
}

/**
 * Prepares everything that the loop uses, the memory checked and the step planned, and closes the device in the end. Nothing is
 * written: a run that is refused here leaves no trace.
 *
 * @param use given the state on the device
 */
export const inShop = async <A>(
  { config, hooks, found, notes }: Job,
  use: (shop: Workshop, state: TrainState) => Promise<A>,
): Promise<A> => {
  const emit = hooks.onEvent ?? (() => undefined)
  const device = await need(openDevice(config.device, hooks.deviceOptions, found?.progress))
  try {
    await need(TE.fromEither(requireLeast(device, config))) // before minutes are spent on decoding photographs
    const opened = await need(openData(config))
    const recipe = recipeOf(config)
    const state =
      found === undefined
        ? await device.compile((seed: ReturnType<typeof key>) => initialState(recipe, seed))(key(config.seed))
        : await device.realize(found.state)
    const base = { recipe, device, opened, stepper: stepperOn(device, recipe), emit, signal: hooks.signal }
    for (const message of [...opened.warnings, ...(found?.warnings ?? []), ...notes(opened)])
      emit({ _tag: 'Warning', message })
    const plan = base.stepper.plan(state)
    await need(TE.fromEither(requireMemory(device, base.stepper.bytes(state))))
    const facts = factsOf({ recipe, state, plan, device: device.description, pictures: opened.summary })
    emit({ _tag: 'Started', facts, from: found?.progress.step ?? 0 })
    const draw = drawerOn(device, recipe, { count: config.sampleCount, steps: config.sampleSteps, seed: sheetSeed })
    return await use({ ...base, draw, measure: whenAsked(() => heldOutOn(device, recipe, opened.data)) }, state)
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

/** Begins a run that is locked: its configuration, what the network will see, and a checkpoint to come back to. */
export const begin = async (shop: LockedShop, state: TrainState): Promise<void> => {
  const { config } = shop.recipe
  const pictures = range(Math.min(config.batch, 64)).map((i) => shop.opened.data.picture(i))
  await write(shop, writeConfig(config))
  await write(shop, writeFirstBatch(config, pictures))
  await saveAt(shop, state, 0)
}

/** Begins, or leaves nothing behind. */
const beginOrAbandon = async (shop: LockedShop, state: TrainState): Promise<void> => {
  let begun = false
  try {
    await tidy(shop.recipe.config.out)
    await begin(shop, state)
    begun = true
  } finally {
    if (!begun) await abandon(shop.recipe.config.out, shop.lock)
  }
}

/** Runs, and gives the lock back whatever happens. */
export const holding = async <A>(lock: RunLock, run: () => Promise<A>): Promise<A> => {
  try {
    return await run()
  } finally {
    await lock.release()
  }
}

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
  guarded(async () => {
    await need(requireOutside(config))
    await need(requireFree(config.out)) // before minutes are spent on decoding photographs
    return inShop({ config, hooks, notes: () => [] }, async (shop, state) => {
      const lock = await need(claim(config.out))
      return holding(lock, async () => {
        const locked = { ...shop, lock }
        await beginOrAbandon(locked, state)
        return loop(locked, state, 0)
      })
    })
  })
