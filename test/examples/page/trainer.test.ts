/** The run that the page leads, on a device without a page. */
import { afterAll, describe, expect, it } from 'vitest'
import { openDevice } from '../../../src/index.ts'
import { dataOfSeas } from '../../../src/data/index.ts'
import { readSafetensors } from '../../../src/io/index.ts'
import { configOf } from '../../../src/train/index.ts'
import type { Told } from '../../../examples/page/messages.ts'
import { dataOfPictures, wordsOn } from '../../../examples/page/pictures.ts'
import { trainerFor } from '../../../examples/page/trainer.ts'

const device = await openDevice('wasm', { threads: 1 })

const model = { width: 4, multipliers: [1], heads: 1, headWidth: 4 }
const small = { height: 8, width: 8, model, batch: 2, timesteps: 20, sampleSteps: 2, sampleEvery: 3, heldOutEvery: 4 }

/** A run of six steps with all that it tells, which `listen` hears too. */
const begun = async (listen: (told: Told) => void = () => undefined) => {
  const config = configOf({ out: 'page', device: 'wasm', ...small, steps: 6 })
  if (config._tag === 'Left') throw new Error(config.left.message)
  const all: Told[] = []
  const tell = (told: Told): void => {
    all.push(told)
    listen(told)
  }
  const data = dataOfSeas({ seed: 0, size: 8 })
  const trainer = await trainerFor({ device, config: config.right, data, summary: 'seas' }, tell)
  const of = <K extends Told['kind']>(kind: K) =>
    all.filter((told): told is Extract<Told, { readonly kind: K }> => told.kind === kind)
  return { trainer, all, of }
}

afterAll(() => device.close())

const never = new AbortController().signal

/** The run that nothing disturbs, with its weights saved at the end. */
const plain = await begun()
await plain.trainer.run(never)
await plain.trainer.save()
const losses = plain.of('stepped').map(({ step, loss }) => ({ step, loss }))

describe('a run in a page', () => {
  it('tells its steps, what it measures, and sheets of samples from one noise', () => {
    expect(plain.trainer.real).toMatchObject({ side: 8, count: 16 })
    expect(plain.trainer.real.bytes.subarray(192, 384)).toEqual(dataOfSeas({ seed: 0, size: 8 }).picture(1))
    expect(losses.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6])
    expect(plain.of('measured').map(({ step }) => step)).toEqual([4, 6])
    expect(plain.of('drawn').map(({ step }) => step)).toEqual([3, 6])
    expect(plain.of('drawing').at(-1)).toEqual({ kind: 'drawing', done: 2, total: 2 })
    const [third, sixth] = plain.of('drawn').map(({ sheet }) => sheet.bytes)
    expect(third?.length).toBe(16 * 8 * 8 * 3)
    expect(third).not.toEqual(sixth)
  })

  it('that is stopped and goes on saves the bytes of one that never stopped', async () => {
    const controller = new AbortController()
    const stopped = await begun(({ kind }) => {
      if (kind === 'measured') controller.abort()
    })
    await stopped.trainer.run(controller.signal)
    expect(stopped.trainer.step()).toBe(4)
    const drawing = stopped.trainer.draw() // which the next step must not take the state from
    await stopped.trainer.run(never)
    await drawing
    expect(stopped.of('drawn').map(({ step }) => step)).toEqual([3, 4, 6])
    await stopped.trainer.save()
    expect(stopped.of('stepped')).toMatchObject(losses)
    expect(stopped.of('saved')).toEqual(plain.of('saved'))
  })

  it('that is asked for weights and pictures during a step gives them after it, and trains on with the same bits', async () => {
    const asked = await begun(({ kind }) => {
      if (kind === 'stepped' && asked.of('stepped').length === 2)
        void Promise.all([asked.trainer.save(), asked.trainer.draw()])
    })
    await asked.trainer.run(never)
    const order = asked.all.filter(({ kind }) => kind === 'stepped' || kind === 'saved' || kind === 'drawn')
    expect(order.slice(1, 5).map(({ kind }) => kind)).toEqual(['stepped', 'saved', 'drawn', 'stepped'])
    expect(asked.of('drawn').at(-1)).toEqual(plain.of('drawn').at(-1))
    expect(asked.of('stepped')).toMatchObject(losses)
  })

  it('draws other pictures each time that it is asked', async () => {
    await plain.trainer.draw()
    await plain.trainer.draw()
    const [last, one, other] = plain.of('drawn').slice(-3)
    expect([last?.step, one?.step, other?.step]).toEqual([6, 6, 6])
    expect(one?.sheet.bytes).not.toEqual(last?.sheet.bytes)
    expect(one?.sheet.bytes).not.toEqual(other?.sheet.bytes)
  })

  it('saves the averaged weights, and what network they are of', () => {
    const [saved] = plain.of('saved')
    expect(saved?.name).toBe('seas-8-6.safetensors')
    const file = readSafetensors(saved?.bytes ?? new Uint8Array())
    if (file._tag === 'Left') throw new Error(file.left.message)
    expect(JSON.parse(file.right.metadata.get('config') ?? '')).toMatchObject({ height: 8, model, timesteps: 20 })
    expect(file.right.tensors.get('head.bias')).toMatchObject({ dtype: 'f32', shape: [3] })
  })
})

describe('pictures that were dropped', () => {
  it('are trained on, but for a tenth', () => {
    const pictures = Array.from({ length: 20 }, (_, i) => new Uint8Array(12).fill(i))
    const data = dataOfPictures(pictures, 2, 0)
    expect([data.count, data.heldOutCount]).toEqual([18, 2])
    const seen = new Set(Array.from({ length: 18 }, (_, i) => data.picture(i)[0]))
    expect(seen.size).toBe(18)
    expect(seen.has(data.heldOut(0)[0])).toBe(false)
  })

  it('are refused where they are too few, with a word where they are few', () => {
    expect(() => wordsOn(0)).toThrow('None of these files is a picture that can be read, and at least 8 are needed')
    expect(() => wordsOn(1)).toThrow('Only 1 of these files is a picture that can be read')
    expect(() => wordsOn(7)).toThrow('Only 7 of these files are pictures that can be read')
    expect(wordsOn(8)).toEqual(['8 pictures are few: the network will learn them by heart. Some hundreds are a start.'])
    expect(wordsOn(100)).toEqual([])
  })
})
