/** Text models of a file: their settings, the text, and what they write. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  alphabetIn,
  resume,
  textConfigOf,
  textPresets,
  train,
  write,
  type TrainEvent,
} from '../../../src/train/index.ts'
import { directories, done, leftMessage, right } from '../tinyRun.ts'
import { rhyme, textOf, tinyText } from './ownKinds.ts'

const directory = directories()
const text = directory()
beforeAll(() => {
  mkdirSync(text)
  writeFileSync(join(text, 'sea.txt'), rhyme)
})

describe('the configuration of a text model', () => {
  const data = { ...tinyText, alphabet: 'abc', folder: 'sea.txt', out: 'run' }
  const left = (more: object) => leftMessage(textConfigOf({ ...data, ...more }))

  it('names settings of its network over those of the preset', () => {
    const { model } = right(textConfigOf({ ...data, model: { width: 64 } }))
    expect(model).toEqual({ ...textPresets['text-128'].model, width: 64 })
    expect(right(textConfigOf({ ...data, alphabet: undefined, tokens: 'bytes' }))).toMatchObject({ tokens: 'bytes' })
  })

  it.each([
    [{ folder: undefined }, 'folder must be the path of a file of text, got null'],
    [{ alphabet: undefined }, 'alphabet must be the characters of the text, each once, got undefined'],
    [{ alphabet: 'abca' }, 'alphabet must be at most 65536 characters, each once'],
    [{ tokens: 'bytes' }, 'alphabet must be absent where tokens are bytes, got "abc"'],
    [{ tokens: 'words' }, 'tokens must be one of characters, bytes, got "words"'],
    [{ heldOut: 1 }, 'heldOut must be a share of the text, from 0 to below 1, got 1'],
    [{ model: { heads: 3 } }, 'model.heads must be a divisor of the width, 128, got 3'],
    [{ model: { context: 1 } }, 'model.context must be a whole number from 2'],
    [{ model: { kind: 'lstm' } }, 'model.kind must be one of gpt, got "lstm"'],
  ])('%j is refused in words that help', (more, message) => {
    expect(left(more)).toContain(message)
  })
})

describe('a text in a file', () => {
  const file = (name: string, bytes: string | Uint8Array): string => {
    const path = join(text, name)
    writeFileSync(path, bytes)
    return path
  }

  it('has an alphabet, each character once', async () => {
    expect(await done(alphabetIn(file('short.txt', 'Größe 🌊 ö')))).toBe(' Gerßö🌊')
  })

  it.each([
    ['empty.txt', '', /is empty: put the text into it/],
    ['zero.txt', Uint8Array.of(104, 0, 105), /is no text \(it has bytes that are 0\)/],
    ['wide.txt', Uint8Array.of(0xff, 0xfe, 104, 0), /is a text in UTF-16: save it as UTF-8/],
    ['latin.txt', Uint8Array.of(99, 97, 102, 0xe9), /is no text in UTF-8: save it as UTF-8/],
  ])('%s is refused in words that help', async (name, bytes, message) => {
    expect(leftMessage(await alphabetIn(file(name, bytes))())).toMatch(message)
  })

  it('that is not there, is a folder, or is shorter than the context is refused', async () => {
    expect(leftMessage(await alphabetIn(join(text, 'gone.txt'))())).toContain(
      'gone.txt is not there: name a file of text',
    )
    expect(leftMessage(await alphabetIn(text)())).toContain('is a folder: name a file of text in it')
    const out = directory()
    expect(leftMessage(await train(textOf(file('tiny.txt', 'the sea'), out))())).toMatch(
      /tiny\.txt: the text has 7 characters, of which 1 are held out; both parts must have more than a context of 8: .* \(--context N\)/,
    )
    expect(existsSync(out)).toBe(false)
  })

  it('that has moved is the same, that has changed is said, and with other characters refused', async () => {
    const [first, second, run] = [file('a.txt', rhyme), file('b.txt', rhyme), directory()]
    await done(train(textOf(first, run, { steps: 2 })))
    rmSync(first)
    expect(leftMessage(await resume(run, {}, { steps: 3 })())).toMatch(
      /the text of the run, .*a\.txt, is not there; .*--data FILE/,
    )
    const warnings: string[] = []
    const hooks = { onEvent: (event: TrainEvent) => event._tag === 'Warning' && warnings.push(event.message) }
    await done(resume(run, hooks, { steps: 3, folder: second }))
    expect(warnings.join('\n')).toContain('b.txt is that of the run: it goes on with the same bits')
    writeFileSync(second, rhyme.replaceAll('open', 'even'))
    await done(resume(run, hooks, { steps: 4 }))
    expect(warnings.join('\n')).toMatch(/b\.txt has changed \(\d+ characters, \d+ then, \d+ characters, \d+ now\)/)
    writeFileSync(second, rhyme.replaceAll('open', 'OPEN'))
    expect(leftMessage(await resume(run, {}, { steps: 5 })())).toMatch(
      /b\.txt: text: 'O' is not among the \d+ characters/,
    )
  })
})

describe('what a text model writes', () => {
  const run = directory()
  beforeAll(async () => {
    await done(
      train(textOf(join(text, 'sea.txt'), run, { steps: 80, saveEvery: 80, sampleEvery: 80, heldOutEvery: 40 })),
    )
  })

  it('begins with the prompt, is of the seed, and comes in parts', async () => {
    const parts: string[] = []
    const one = await done(write(run, { prompt: 'the ', length: 30, seed: 1, onText: (part) => void parts.push(part) }))
    expect(one.text).toMatch(/^the /)
    expect(one.text).toHaveLength(34)
    expect(parts.join('')).toBe(one.text)
    expect((await done(write(run, { prompt: 'the ', length: 30, seed: 1 }))).text).toBe(one.text)
    expect((await done(write(run, { prompt: 'the ', length: 30, seed: 2 }))).text).not.toBe(one.text)
  })

  it('begins with a new line where nothing is said, and is the likeliest alone where little of it is wanted', async () => {
    const { text: greedy } = await done(write(run, { length: 12, topP: 1e-6 }))
    expect(greedy).toMatch(/^\n/)
    expect((await done(write(run, { length: 12, topP: 1e-6, seed: 9 }))).text).toBe(greedy)
    expect((await done(write(run, { length: 0 }))).text).toBe('\n')
  })

  it.each([
    [{ temperature: 0 }, 'temperature must be a number above 0, got 0'],
    [{ topP: 1.5 }, 'top-p must be a number above 0 and at most 1, got 1.5'],
    [{ length: -1 }, 'length must be a whole number from 0 to 1000000, got -1'],
    [{ seed: 0.5 }, 'seed must be a whole number ≥ 0, got 0.5'],
    [{ prompt: '' }, 'prompt must be a text of one letter at least'],
    [{ prompt: 'Q' }, "the prompt: text: 'Q' is not among the"],
  ])('%j is refused in words that help', async (options, message) => {
    expect(leftMessage(await write(run, options)())).toContain(message)
  })

  it('of bytes is text too', async () => {
    const bytes = directory()
    await done(train(textOf(join(text, 'sea.txt'), bytes, { tokens: 'bytes', alphabet: undefined, steps: 2 })))
    expect((await done(write(bytes, { prompt: 'Größe', length: 3 }))).text).toMatch(/^Größe/)
  })
})
