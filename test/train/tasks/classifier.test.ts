/** Classifiers of a folder of pictures: their settings, their classes, and what they say. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { classesIn, classifierConfigOf, classifierPresets, classify, train, write } from '../../../src/train/index.ts'
import { directories, done, leftMessage, right } from '../tinyRun.ts'
import { classFolder, classifierOf, rhyme, textOf, tinyClassifier } from './ownKinds.ts'

process.env['XDG_CACHE_HOME'] = `${directories()()}-cache`
const directory = directories()
const [pictures, text] = [directory(), directory()]
beforeAll(() => {
  classFolder(pictures)
  mkdirSync(text)
  writeFileSync(join(text, 'sea.txt'), rhyme)
})

describe('the configuration of a classifier', () => {
  const data = { ...tinyClassifier, labels: ['day', 'night'], folder: 'pictures', out: 'run' }
  const left = (more: object) => leftMessage(classifierConfigOf({ ...data, ...more }))

  it('names settings of its network over those of the preset, or of its own kind', () => {
    const { model } = right(classifierConfigOf({ ...data, model: { kind: 'vit', depth: 1 } }))
    expect(model).toMatchObject({ kind: 'vit', depth: 1, patch: 4 })
    const usual = right(classifierConfigOf({ labels: ['a', 'b'], folder: 'pictures', out: 'run', model: { width: 8 } }))
    expect(usual).toMatchObject({ model: { ...classifierPresets['classes-32'].model, width: 8 }, several: false })
  })

  it('of seas says several things at once', () => {
    expect(right(classifierConfigOf({ ...data, folder: undefined, labels: ['boat'] }))).toMatchObject({ several: true })
    expect(left({ folder: null, several: false })).toBe('several must be true for procedural seas, got false')
    expect(left({ folder: null, channels: 1 })).toBe('channels must be 3 for procedural seas, got 1')
  })

  it.each([
    [{ labels: ['day'] }, 'labels must be two classes at least, of which one is said, got ["day"]'],
    [{ labels: undefined }, 'labels must be a list of 1 to 1000 different names, got []'],
    [{ labels: ['a', 'a'] }, 'labels must be a list of 1 to 1000 different names'],
    [{ model: { kind: 'resent' } }, 'model.kind must be one of mlp, resnet, vit, got "resent"; did you mean resnet?'],
    [{ model: { kind: 'vit', patch: 3 } }, 'vit: patches of 3×3 do not tile pictures of 8×8'],
    [{ model: { kind: 'vit', heads: 5 } }, '5 heads cannot share a width of 64'],
    [{ flip: 'yes' }, 'flip must be true or false, got "yes"'],
    [{ task: 'text' }, 'task must be one of classification, got "text"'],
    [{ stpes: 3 }, 'stpes is not a setting; did you mean steps?'],
  ])('%j is refused in words that help', (more, message) => {
    expect(left(more)).toContain(message)
  })
})

describe('the classes of a folder', () => {
  it('are its subfolders; of which none holds a picture is said', async () => {
    const folder = classFolder(directory(), 2)
    mkdirSync(join(folder, 'fog'))
    writeFileSync(join(folder, 'fog', '1.png'), 'no picture')
    expect(await done(classesIn(folder))).toEqual({
      names: ['day', 'night'],
      notes: ["no picture of 'fog' can be used, so it is no class: `fathom scan` says why"],
    })
  })

  it('that has none, one, or broken ones is refused in words that help', async () => {
    const empty = directory()
    mkdirSync(empty)
    expect(leftMessage(await classesIn(empty)())).toBe(
      `${empty} holds no pictures: make a subfolder for each class, as boats/ and bridges/, with pictures in it`,
    )
    const one = classFolder(directory(), 1)
    expect(leftMessage(await classesIn(join(one, 'day'))())).toContain('lies in a subfolder: make a subfolder')
    writeFileSync(join(one, 'day', '0.png'), 'broken')
    expect(leftMessage(await classesIn(one)())).toMatch(
      /has pictures of one class alone, 'night' \(none of 'day' can be used: `fathom scan .*` says why\), and there is nothing to tell apart/,
    )
    writeFileSync(join(one, 'night', '0.png'), 'broken')
    expect(leftMessage(await classesIn(one)())).toMatch(/no file of .* is a picture that can be used: `fathom scan /)
  })

  it('a picture beside them would be taken for one of them: the run is refused', async () => {
    const folder = classFolder(directory(), 2)
    renameSync(join(folder, 'day', '0.png'), join(folder, 'stray.png'))
    expect(leftMessage(await train(classifierOf(folder, directory()))())).toContain(
      'lies beside the subfolders, without a class: move each into the subfolder of its class, or out of the folder',
    )
  })
})

describe('what a classifier says', () => {
  const run = directory()
  const dark = (): string => join(pictures, 'night', '3.png')
  beforeAll(async () => {
    await done(train(classifierOf(pictures, run, { steps: 40, saveEvery: 40, sampleEvery: 40, heldOutEvery: 20 })))
  })

  it('is a probability of each class, for each picture in its place, and why one cannot be read', async () => {
    const light = join(pictures, 'day', '3.png')
    const { answers, several } = await done(classify(run, [dark(), 'gone.png', light]))
    expect(several).toBe(false)
    const [first, second, third] = answers
    const shares = (answer: typeof first) =>
      answer !== undefined && 'probabilities' in answer ? answer.probabilities : {}
    expect(Object.keys(shares(first))).toEqual(['day', 'night'])
    expect(shares(first)['night']).toBeGreaterThan(0.9)
    expect(shares(third)['day']).toBeGreaterThan(0.9)
    expect((shares(first)['night'] ?? 0) + (shares(first)['day'] ?? 0)).toBeCloseTo(1, 5)
    expect(second).toMatchObject({ picture: 'gone.png', fault: expect.stringContaining('gone.png') })
  })

  it('is the same of many pictures as of each alone', async () => {
    const many = Array.from({ length: 18 }, (_, i) => join(pictures, i % 2 === 0 ? 'day' : 'night', `${i}.png`))
    const { answers } = await done(classify(run, many))
    const { answers: alone } = await done(classify(run, many.slice(17)))
    expect(answers).toHaveLength(18)
    expect(answers[17]).toEqual(alone[0])
  })

  it('of seas is of each label by itself', async () => {
    const seas = directory()
    await done(train(classifierOf(null, seas, { labels: ['boat', 'night', 'fog'] })))
    const { answers, several } = await done(classify(seas, [dark()]))
    expect(several).toBe(true)
    const [answer] = answers
    const shares = answer !== undefined && 'probabilities' in answer ? Object.values(answer.probabilities) : []
    expect(shares).toHaveLength(3)
    expect(Math.abs(shares.reduce((a, b) => a + b) - 1)).toBeGreaterThan(0.05) // about a half of each
  })

  it('needs a classifier that has learned something', async () => {
    const fresh = directory()
    await train(classifierOf(pictures, fresh), { signal: AbortSignal.abort() })()
    expect(leftMessage(await classify(fresh, [dark()])())).toContain('has learned nothing yet: train it on')
    expect(leftMessage(await classify(run, [dark()], { weights: 'bets' })())).toContain(
      'weights must be one of last, best, early',
    )
    const other = directory()
    await done(train(textOf(join(text, 'sea.txt'), other, { steps: 1 })))
    expect(leftMessage(await classify(other, [dark()])())).toContain('is no run of a classifier: name one that')
    expect(leftMessage(await write(run)())).toContain('is no run of a text model: name one that')
  })
})
