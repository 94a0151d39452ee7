/** Runs whose device is lost: they go on by themselves, and leave what they would have left. */
import fc from 'fast-check'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { E } from '../../src/prelude/fp.ts'
import { deviceOn } from '../../src/tensor/device.ts'
import { load, type DiffusionRun, type TrainEvent, type TrainHooks } from '../../src/train/index.ts'
import { realSurroundings } from '../../src/train/recovery.ts'
import { resumeIn } from '../../src/train/resume.node.ts'
import { sampleIn } from '../../src/train/tasks/diffusion/sample.ts'
import { lockRun } from '../../src/train/store.node.ts'
import { trainIn } from '../../src/train/train.node.ts'
import { losableBackend, reset, type Answer, type Fate } from '../support/losableBackend.ts'
import { filesOf, lineSubject, surroundingsOf, type Watched } from './lossOfDevice.ts'
import { directories, leftMessage, right, tinyConfig } from './tinyRun.ts'

const directory = directories()
const lineConfig = (out: string, changes: Partial<DiffusionRun> = {}): DiffusionRun =>
  tinyConfig(out, { device: 'cpu', batch: 5, sampleEvery: 3, heldOutEvery: 2, saveEvery: 2, steps: 6, ...changes })

const unhandled: unknown[] = []
const note = (reason: unknown): void => void unhandled.push(reason)
beforeAll(() => process.on('unhandledRejection', note))
afterAll(() => process.off('unhandledRejection', note))

const train = (surroundings: Watched, config: DiffusionRun, hooks: TrainHooks = {}) =>
  trainIn(surroundings, lineSubject)(config, hooks)()

const resume = (surroundings: Watched, out: string, hooks: TrainHooks = {}, changes = {}) =>
  resumeIn(surroundings, lineSubject)(out, hooks, changes)()

/** What a run leaves that loses nothing, and how many calls of its device it takes. */
const soundRun = async (changes: Partial<DiffusionRun> = {}) => {
  const out = directory()
  const surroundings = surroundingsOf([])
  right(await train(surroundings, lineConfig(out, changes)))
  return { files: filesOf(out), calls: surroundings.opened[0]?.calls() ?? 0 }
}

const lossesIn = (events: TrainEvent[]) => events.flatMap((event) => (event._tag === 'DeviceLost' ? [event] : []))

/** Hooks that keep what happens. */
const recording = (events: TrainEvent[], signal?: AbortSignal): TrainHooks => ({
  onEvent: (event) => void events.push(event),
  ...(signal === undefined ? {} : { signal }),
})

/** Lost at the n-th run of a plan. */
const atRun = (lostAt: number): Fate => ({ lostAt, of: ['run'] })

describe('a run whose device is lost', () => {
  const answer = fc.constantFrom<Answer>('throws', 'is silent')

  it.each([{}, { accumulate: 2 }])('at any call ends with the files of one that lost nothing (%o)', async (changes) => {
    const { files, calls } = await soundRun(changes)
    expect(Object.keys(files)).toContain('samples/step-000003.txt')
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: calls }), answer, async (lostAt, how) => {
        const out = directory()
        const events: TrainEvent[] = []
        const surroundings = surroundingsOf([{ lostAt, answer: how }])
        const config = lineConfig(out, changes)
        expect(await train(surroundings, config, recording(events))).toMatchObject(
          E.right({ step: 6, interrupted: false }),
        )
        expect(filesOf(out)).toEqual(files)
        expect(lossesIn(events)).toMatchObject([{ reason: reset, times: 1, most: 3 }])
        expect(surroundings.opened.map((device) => device.isClosed())).toEqual([true, true])
      }),
      { numRuns: 25 },
    )
    expect(unhandled).toEqual([])
  })

  it('twice, and goes on, begun by train or gone on with by resume', async () => {
    const { files, calls } = await soundRun()
    const place = fc.integer({ min: 1, max: calls })
    await fc.assert(
      fc.asyncProperty(place, place, fc.integer({ min: 0, max: 5 }), answer, async (first, second, stopAt, how) => {
        const out = directory()
        const controller = new AbortController()
        if (stopAt === 0) controller.abort()
        const onEvent = (event: TrainEvent): void => {
          if (event._tag === 'Stepped' && event.step === stopAt) controller.abort()
        }
        right(await train(surroundingsOf([]), lineConfig(out), { onEvent, signal: controller.signal }))
        const lots = [first, second].map((lostAt): Fate => ({ lostAt, answer: how }))
        expect(await resume(surroundingsOf(lots), out)).toMatchObject(E.right({ step: 6, interrupted: false }))
        const { [`checkpoints/latest`]: latest, 'metrics.jsonl': metrics, 'loss.svg': chart } = filesOf(out)
        expect([latest, metrics, chart]).toEqual([
          files['checkpoints/latest'],
          files['metrics.jsonl'],
          files['loss.svg'],
        ])
        const last = (all: Readonly<Record<string, string>>) =>
          Object.entries(all).filter(
            ([name]) => name.startsWith('checkpoints/step-000006') || name.startsWith('samples'),
          )
        expect(last(filesOf(out))).toEqual(last(files))
      }),
      { numRuns: 15 },
    )
    expect(unhandled).toEqual([])
  })

  it('says from which checkpoint it goes on, before it opens the device again', async () => {
    const events: TrainEvent[] = []
    const surroundings = surroundingsOf([{ lostAt: 1, of: ['read'] }, atRun(12)])
    right(await train(surroundings, lineConfig(directory()), recording(events)))
    expect(lossesIn(events).map(({ step, times }) => [step, times])).toEqual([
      [0, 1],
      [4, 2],
    ])
    expect(events.flatMap((event) => (event._tag === 'Started' ? [event.from] : []))).toEqual([0, 0, 4])
    expect(surroundings.pauses).toEqual([1000, 5000])
    expect(surroundings.asked).toEqual([undefined, undefined, 'losable']) // with the choices in the checkpoint
  })

  it('opens the data once, and holds the run all the while', async () => {
    const out = directory()
    let opened = 0
    const locked: string[] = []
    const subjects: typeof lineSubject = (config) => (use) =>
      lineSubject(config)((subject) =>
        use({
          ...subject,
          open: (...given) => {
            opened++
            return subject.open(...given)
          },
        }),
      )
    const base = surroundingsOf([atRun(9)])
    const surroundings = {
      ...base,
      pause: async (milliseconds: number) => {
        locked.push(leftMessage(await lockRun(out)()))
        return base.pause(milliseconds)
      },
    }
    right(await trainIn(surroundings, subjects)(lineConfig(out), {})())
    expect(opened).toBe(1)
    expect(locked).toEqual([expect.stringMatching(/in use by process \d+/)])
    expect(existsSync(join(out, 'lock'))).toBe(false)
  })

  it('that is lost three times an hour goes on, and no more', async () => {
    const { files } = await soundRun()
    const out = directory()
    const lots = [7, 3, 3, 3].map(atRun) // step 4 is never reached
    const message = leftMessage(await train(surroundingsOf(lots), lineConfig(out)))
    expect(message).toBe(
      `the device 'cpu' was lost 4 times within an hour, at last because ${reset}; all up to step 2 is saved: continue with \`fathom resume ${out}\``,
    )
    const slowly = surroundingsOf([1, 1, 1, 1, 1].map(atRun), () => 1_200_000) // 20 minutes from one to the next
    expect(await resume(slowly, out)).toMatchObject(E.right({ step: 6 }))
    expect(filesOf(out)).toEqual(files)
  })

  it('that cannot be opened again is tried again, and the run says what to do when that is in vain', async () => {
    const out = directory()
    const events: TrainEvent[] = []
    const lots = [atRun(7), 'cannot be opened', 'cannot be opened', 'cannot be opened'] as const
    const message = leftMessage(await train(surroundingsOf(lots), lineConfig(out), recording(events)))
    expect(message).toContain('lost 4 times within an hour, at last because no adapter was found; all up to step 2')
    expect(lossesIn(events).map(({ reason }) => reason)).toEqual([
      reset,
      'no adapter was found',
      'no adapter was found',
    ])
    expect(await resume(surroundingsOf([atRun(1), 'cannot be opened']), out)).toMatchObject(E.right({ step: 6 }))
  })

  it('that was never opened is an error at once', async () => {
    const [out, surroundings] = [directory(), surroundingsOf(['cannot be opened'])]
    expect(leftMessage(await train(surroundings, lineConfig(out)))).toBe('no adapter was found')
    expect([surroundings.pauses, existsSync(out)]).toEqual([[], false])
  })

  it('again and again before the first checkpoint leaves nothing behind', async () => {
    const out = directory()
    const atFirstRead: Fate = { lostAt: 1, of: ['read'] }
    const lots = [atFirstRead, atFirstRead, { lostAt: 1 }, atFirstRead]
    expect(leftMessage(await train(surroundingsOf(lots), lineConfig(out)))).toMatch(/; nothing was done yet$/)
    expect(existsSync(out)).toBe(false)
  })

  it('and that was told to stop meanwhile ends with what is saved, without a device', async () => {
    const { files } = await soundRun()
    const out = directory()
    const controller = new AbortController()
    const surroundings = surroundingsOf([atRun(7)], () => {
      controller.abort()
      return 0
    })
    expect(await train(surroundings, lineConfig(out), { signal: controller.signal })).toMatchObject(
      E.right({ step: 2, steps: 6, interrupted: true }),
    )
    expect(surroundings.opened.length).toBe(1)
    expect(filesOf(out)['metrics.jsonl']?.trimEnd().split('\n').length).toBe(2)
    expect(await resume(surroundingsOf([]), out)).toMatchObject(E.right({ step: 6 }))
    expect(filesOf(out)).toEqual(files)
  })

  it('in the step in which it was told to stop does not wait', async () => {
    const controller = new AbortController()
    const surroundings = surroundingsOf([atRun(7)])
    const hooks: TrainHooks = {
      signal: controller.signal,
      onEvent: ({ _tag }) => {
        if (_tag === 'DeviceLost') controller.abort()
      },
    }
    await train(surroundings, lineConfig(directory()), hooks)
    expect([surroundings.pauses, surroundings.opened.length]).toEqual([[], 1])
  })

  it('and that goes on for more steps keeps to them', async () => {
    const out = directory()
    right(await train(surroundingsOf([]), lineConfig(out, { steps: 3 })))
    const surroundings = surroundingsOf([{ lostAt: 1 }, atRun(4)])
    expect(await resume(surroundings, out, {}, { steps: 6 })).toMatchObject(E.right({ step: 6, steps: 6 }))
    expect(surroundings.opened.length).toBe(3)
  })
})

describe('a pause', () => {
  it('ends when the run is told to stop, at once where it was told before', async () => {
    const controller = new AbortController()
    const pause = realSurroundings.pause(60_000, controller.signal)
    controller.abort()
    await pause
    await realSurroundings.pause(60_000, controller.signal)
    await realSurroundings.pause(1)
  })
})

describe('a run whose device has too little memory', () => {
  it('while it runs ends with advice, and loses nothing that was saved', async () => {
    const { files } = await soundRun()
    const out = directory()
    const short: Fate = { shortAt: 7, of: ['run'] }
    const message = leftMessage(await train(surroundingsOf([short]), lineConfig(out)))
    expect(message).toBe(
      `'losable' has too little memory: losable: 5 GB are asked for, and 1 GB are there; use a smaller batch (and accumulate), smaller pictures, a narrower network, or mixed precision (--precision mixed); or compute with --device wasm. That is another run, for this one keeps its settings; all up to step 2 is saved: continue with \`fathom resume ${out}\`, when other programs have left the device more memory`,
    )
    expect(await resume(surroundingsOf([]), out)).toMatchObject(E.right({ step: 6 }))
    expect(filesOf(out)).toEqual(files)
  })

  it.each(['allocate', 'run', 'write', 'prepare'] as const)('at any %s ends with that advice', async (call) => {
    for (const shortAt of [1, 3]) {
      const surroundings = surroundingsOf([{ shortAt, of: [call] }])
      const message = leftMessage(await train(surroundings, lineConfig(directory())))
      expect(message).toMatch(/^'losable' has too little memory: .*; use a smaller batch/)
      expect(surroundings.opened[0]?.isClosed()).toBe(true)
    }
    expect(unhandled).toEqual([])
  })

  it('by its plan is refused before it begins, with the numbers of the plan and of the device', async () => {
    const out = directory()
    const base = surroundingsOf([])
    const open: Watched['open'] = () => async () => {
      const { backend } = losableBackend()
      return E.right(deviceOn({ ...backend, memoryLimit: 1000, bytesNeeded: () => 1001 }))
    }
    expect(leftMessage(await train({ ...base, open }, lineConfig(out)))).toMatch(
      /^a step needs 1\.00 kB, and 'losable' can use 1 kB: use a smaller batch .*; or compute with --device wasm$/,
    )
    expect(existsSync(out)).toBe(false)
  })
})

describe('a run of pictures', () => {
  const settings = { device: 'cpu', steps: 2, sampleEvery: 1, heldOutEvery: 5, timesteps: 4, saveEvery: 1 } as const
  const pictures = async (lots: readonly Fate[]) => {
    const out = directory()
    const events: TrainEvent[] = []
    right(await trainIn(surroundingsOf(lots))(tinyConfig(out, settings), recording(events))())
    return { out, tags: events.map(({ _tag }) => _tag) }
  }

  it('has the same weights and sheets when its device is lost while a sheet is drawn, and so has what is drawn from it', async () => {
    const sound = await pictures([])
    const lost = await pictures([{ lostAt: 4, of: ['run'] }])
    expect(lost.tags.slice(0, 5)).toEqual(['Started', 'Saved', 'Stepped', 'DeviceLost', 'Started'])
    expect(filesOf(lost.out)).toEqual(filesOf(sound.out))
    const loaded = right(await load(lost.out)())
    const options = { count: 1, steps: 2, seed: 3 }
    const told: number[] = []
    const onStep = (done: number): void => void told.push(done)
    const drawn = right(await sampleIn(surroundingsOf([]))(loaded, options)())
    const again = surroundingsOf([{ lostAt: 3, of: ['run'] }])
    expect(right(await sampleIn(again)(loaded, { ...options, onStep })())).toEqual(drawn)
    expect([told, again.pauses]).toEqual([[1, 1, 2], [1000]])
    const twice = [1, 2].map((): Fate => ({ lostAt: 1, of: ['read'], answer: 'is silent' }))
    expect(leftMessage(await sampleIn(surroundingsOf(twice))(loaded, options)())).toBe(
      `the device was lost while the pictures were drawn, and again when it was opened anew: ${reset}; nothing was written, so draw them again when the device is there, or on another`,
    )
    expect(leftMessage(await sampleIn(surroundingsOf([{ shortAt: 2 }]))(loaded, options)())).toMatch(
      /^the device has too little memory for the pictures: losable: 5 GB .*; draw fewer than 16 at a time \(--count\)$/,
    )
    expect(unhandled).toEqual([])
  })
})
