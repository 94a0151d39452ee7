/** Texts and labelled pictures as tasks: what they learn from, what they measure, and what they show. */
import { describe, expect, it } from 'vitest'
import { dataOfSeas, dataOfSet, folderLabels } from '../../../src/data/index.page.ts'
import { resnetFamily, vitFamily } from '../../../src/models/index.ts'
import { compose, linear } from '../../../src/nn/index.ts'
import { at, range } from '../../../src/prelude/array.ts'
import { E } from '../../../src/prelude/fp.ts'
import { scalar } from '../../../src/tensor/create.ts'
import { key } from '../../../src/tensor/random.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { leavesWithPaths } from '../../../src/tensor/tree.ts'
import { memoryStore } from '../../../src/train/memoryStore.ts'
import { initialState, trainingOf } from '../../../src/train/recipe.ts'
import { stateFromFiles } from '../../../src/train/stateFiles.ts'
import { classificationRun } from '../../../src/train/tasks/classification/classificationTask.ts'
import { confusionTable } from '../../../src/train/tasks/classification/confusion.ts'
import { textRun } from '../../../src/train/tasks/text/textTask.ts'
import { charactersOf, utf8Tokens } from '../../../src/train/tasks/text/tokens.ts'
import { usualRun } from '../../../src/train/usualRun.ts'
import { wholeRun } from '../../../src/train/wholeRun.ts'
import { cpuDevice, values } from '../../support/device.ts'

const device = cpuDevice()
const tiny = { context: 8, width: 16, depth: 1, heads: 2, written: 12 } as const
const alphabet = 'abcdefghij'.repeat(60)

describe('a text as a task', () => {
  it('every stretch of the learned part comes once before one comes again, and none of what is held out', async () => {
    const { source } = textRun(alphabet, { ...tiny, seed: 4 })
    const numbered = textRun(
      range(300)
        .map((i) => String.fromCodePoint(0x4e00 + i))
        .join(''),
      tiny,
    )
    const starts = 300 - 30 - 9 + 1
    const { ids } = numbered.source.examples(0, starts)
    const found = await values(ids, device)
    const firsts = range(starts).map((i) => at(found, 9 * i))
    expect(firsts.toSorted((a, b) => a - b)).toEqual(range(starts))
    expect(firsts.slice(0, 9)).not.toEqual(range(9))
    expect(Math.max(...found)).toBe(269) // the last 30 are held out
    range(starts).forEach((i) => expect(found.slice(9 * i, 9 * i + 9)).toEqual(range(9).map((k) => at(firsts, i) + k)))
    const again = await values(source.examples(7, 2).ids, device)
    expect(again).toEqual((await values(source.examples(6, 3).ids, device)).slice(9))
  })

  it('learns what follows what, through the trainer, and writes it', async () => {
    const { task, source } = textRun(alphabet, tiny)
    const store = memoryStore()
    const config = usualRun({ steps: 60, batch: 8, learningRate: 2e-2, ema: 0.5 })
    const result = await wholeRun({ config, task, source, device }, store)()
    expect(result).toMatchObject({ _tag: 'Right', right: { step: 60 } })
    const measured = result._tag === 'Right' ? (result.right.measured?.['heldOut'] ?? NaN) : NaN
    expect(measured).toBeLessThan(0.5) // ln 10 = 2.3 is a guess
    const written = [...store.files].find(([name]) => name.endsWith('.txt'))?.[1]
    expect(new TextDecoder().decode(written)).toHaveLength(13)
    expect(task.words.measured({ heldOut: Math.LN2 })).toEqual([
      'held-out 0.693 nats a character',
      'held-out 0.693 nats a character (1.00 bits)',
    ])
  })

  it('what is measured is the mean surprise at stretches over the whole held-out part', async () => {
    const { source, model } = textRun(alphabet, { ...tiny, tokens: 'bytes' })
    const measure = await source.measure?.(device)
    const params = model.init(key(0))
    const { heldOut = NaN } = (await measure?.(params)) ?? {}
    expect(heldOut).toBeGreaterThan(5) // about ln 256 = 5.5 before the first step
    expect(heldOut).toBeLessThan(6)
    expect((await measure?.(params, params))?.['heldOut']).toBe(heldOut)
  })

  it('dropout draws other masks in other parts of a step', async () => {
    const { task, source } = textRun(alphabet, { ...tiny, dropout: 0.5 })
    const { loss } = task
    if (typeof loss !== 'function') throw new Error('the task has phases')
    const params = task.init(key(0))
    const of = async (first?: number) => {
      const draws = task.draws(key(1), 4, first === undefined ? undefined : scalar(first, 'u32'))
      return device.item(loss(params, source.examples(0, 4), draws))
    }
    expect(await of()).toBe(await of())
    expect(await of(4)).not.toBe(await of(8))
  })

  it('characters and bytes go there and back, and what cannot be meant is refused', () => {
    const { encode, decode, count } = charactersOf('Größe 🌊')
    expect(decode([...encode('🌊 Größe')])).toBe('🌊 Größe')
    expect(count).toBe(7)
    expect(utf8Tokens.decode([...utf8Tokens.encode('Größe 🌊')])).toBe('Größe 🌊')
    expect(() => encode('x')).toThrow("'x' is not among the 7 characters of this model")
    expect(() => textRun('')).toThrow('the text is empty')
    expect(() => textRun('short', tiny)).toThrow(
      'textRun: the text has 5 characters, of which 1 are held out; both parts',
    )
    expect(() => textRun(alphabet, { ...tiny, heldOut: 2 })).toThrow('heldOut is 2')
    expect(() => textRun(alphabet, { ...tiny, widht: 2 } as never)).toThrow("there is no option 'widht'")
    expect(() => textRun(alphabet, { ...tiny, tokens: 'words' as never })).toThrow("tokens are 'words'")
    expect(textRun(alphabet, { ...tiny, heldOut: 0 }).source.measure).toBeUndefined()
  })
})

const stripes = (i: number): Uint8Array =>
  Uint8Array.from({ length: 64 }, (_, p) => ((i % 2 === 0 ? p % 8 : Math.floor(p / 8)) % 2 === 0 ? 40 + i : 215 - i))
const set = { name: 'stripes', height: 8, width: 8, channels: 1, count: 40, pixels: stripes } as const
const labels = folderLabels(range(40).map((i) => `${i % 2 === 0 ? 'upright' : 'across'}/${i}.png`))
const data = dataOfSet(set, 0, { labels })

describe('labelled pictures as a task', () => {
  it.each([
    [
      'ResNet',
      (purpose: Parameters<typeof resnetFamily.build>[1]) => resnetFamily.build({ blocks: [1], width: 4 }, purpose),
    ],
    [
      'ViT',
      (purpose: Parameters<typeof vitFamily.build>[1]) =>
        vitFamily.build({ patch: 4, width: 8, depth: 1, heads: 2 }, purpose),
    ],
  ] as const)('a %s learns them through the trainer, and its sheet is a table of classes', async (_, build) => {
    const { task, source, names } = classificationRun(data, build as never, { mirror: true })
    expect(names).toEqual(['across', 'upright'])
    const store = memoryStore()
    const config = usualRun({ steps: 40, batch: 8, learningRate: 1e-2, ema: 0.5 })
    const result = await wholeRun({ config, task, source, device }, store)()
    expect(result).toMatchObject({ _tag: 'Right', right: { measured: { accuracy: 1 } } })
    const table = new TextDecoder().decode([...store.files].find(([name]) => name.endsWith('.txt'))?.[1])
    expect(table).toMatch(/^is \\ said across upright right\n/)
    expect(new TextDecoder().decode(store.files.get('classes.json'))).toBe('["across","upright"]')
  })

  it('running statistics of a ResNet move with its steps, are averaged, and are what it is measured with', async () => {
    const { task, source } = classificationRun(data, (purpose) =>
      resnetFamily.build({ blocks: [1], width: 4, norm: 'batch' }, purpose),
    )
    const store = memoryStore()
    const config = usualRun({ steps: 40, batch: 8, learningRate: 1e-2, ema: 0.9, accumulate: 2 })
    const result = await wholeRun({ config, task, source, device }, store)()
    expect(result).toMatchObject({ _tag: 'Right', right: { measured: { accuracy: 1 } } })
    const back = stateFromFiles(initialState({ ...trainingOf(config), task }, key(0)), store.saved.get(40) ?? new Map())
    if (E.isLeft(back)) throw new Error(back.left)
    const { params, averages } = back.right.state
    const kept = async (tree: unknown, end: string): Promise<readonly (readonly number[])[]> => {
      const found = leavesWithPaths(tree).filter(([path]) => path.endsWith(`.${end}`))
      return Promise.all(found.map(([, x]) => values(x, device)))
    }
    expect(new Set((await kept(params.modelState, 'count')).flat())).toEqual(new Set([40]))
    const [now, average] = [await kept(params.modelState, 'mean'), await kept(averages[0].modelState, 'mean')]
    expect(average.map((means) => means.length)).toEqual(now.map((means) => means.length))
    expect(average).not.toEqual(now)
    const measure = await source.measure?.(device)
    const lossOf = async (...given: readonly [typeof params, typeof params?]): Promise<number | undefined> =>
      (await measure?.(...given))?.['heldOut']
    const [average0, began] = [averages[0], task.init(key(0)).modelState]
    expect(await lossOf({ ...params, modelState: began })).not.toBe(await lossOf(params))
    expect(await lossOf(params, average0)).toBe(await lossOf(average0))
    expect(await lossOf({ ...average0, modelState: params.modelState })).not.toBe(await lossOf(average0))
  })

  it('each example has the label of its picture', async () => {
    const { source } = classificationRun(data, (purpose) => resnetFamily.build({ blocks: [1], width: 4 }, purpose))
    const { pictures, shown } = source.examples(5, 12)
    const [bytes, truth] = [await values(pictures, device), await values(shown, device)]
    range(12).forEach((i) => {
      const isUpright = at(bytes, 64 * i) === at(bytes, 64 * i + 8) // two pixels of one column
      expect(truth.slice(2 * i, 2 * i + 2)).toEqual(isUpright ? [0, 1] : [1, 0])
    })
  })

  it('half of the pictures are mirrored, others in each step, and none where it is not asked for', async () => {
    const run = classificationRun(data, (purpose) => resnetFamily.build({ blocks: [1], width: 4 }, purpose), {
      mirror: true,
    })
    const plain = classificationRun(data, (purpose) => resnetFamily.build({ blocks: [1], width: 4 }, purpose))
    const mirrored = await values(run.task.draws(key(0), 400).mirrored, device)
    const share = mirrored.reduce((a, b) => a + b) / 400
    expect(Math.abs(share - 0.5)).toBeLessThan(0.1)
    expect(await values(run.task.draws(key(1), 400).mirrored, device)).not.toEqual(mirrored)
    expect((await values(plain.task.draws(key(0), 400).mirrored, device)).every((m) => m === 0)).toBe(true)
  })

  it('several things at once: the share of labels that are right', async () => {
    const seas = dataOfSeas({ seed: 1, size: 8 }, { labels: true })
    const network = (purpose: { readonly classes: number }) =>
      compose({ out: linear(192, purpose.classes) }, ({ out }, x: Tensor) => out(x.reshape([-1, 192])))
    const { source, task } = classificationRun(seas, network, { several: true, measured: 8 })
    const measure = await source.measure?.(device)
    const found = await measure?.(task.init(key(0)))
    expect(found?.['accuracy']).toBeGreaterThan(0)
    expect(found?.['accuracy']).toBeLessThan(1)
  })

  it('what cannot be meant is refused', () => {
    const build = (purpose: Parameters<typeof resnetFamily.build>[1]) =>
      resnetFamily.build({ blocks: [1], width: 4 }, purpose)
    expect(() => classificationRun(dataOfSet(set, 0), build)).toThrow("the data 'stripes' have no labels: give some")
    expect(() => classificationRun(data, build, { several: true, mirrored: true } as never)).toThrow(
      "no option 'mirrored'",
    )
  })

  it('a table of classes counts rows of the truth', () => {
    const names = ['boat', 'sea', 'fog']
    expect(confusionTable({ names, truth: [0, 0, 1, 1, 1], said: [0, 1, 1, 1, 0] }).split('\n')).toEqual([
      'is \\ said boat sea fog right',
      'boat         1   1   0  50 %',
      'sea          1   2   0  67 %',
      'fog          0   0   0     –',
      '',
    ])
  })
})
