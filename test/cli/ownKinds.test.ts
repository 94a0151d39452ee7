/** `fathom train-classifier`, `train-text`, `classify` and `write`: what they print, which settings flags reach, and what is wrong usage. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { runClassify, runTrainClassifier } from '../../src/cli/classifiers.ts'
import type { Outcome } from '../../src/cli/outcome.ts'
import { parse } from '../../src/cli/parse.ts'
import { runResume } from '../../src/cli/runs.ts'
import { runTrainText, runWrite } from '../../src/cli/texts.ts'
import { classFolder, rhyme, tinyClassifier, tinyText } from '../train/tasks/ownKinds.ts'
import { directories } from '../train/tinyRun.ts'

process.env['XDG_CACHE_HOME'] = `${directories()()}-cache`
const directory = directories()
const [pictures, data] = [directory(), directory()]
const [classifierFile, textFile, text] = ['classifier.json', 'text.json', 'sea.txt'].map((name) => join(data, name))

beforeAll(() => {
  classFolder(pictures)
  mkdirSync(data)
  writeFileSync(classifierFile ?? '', JSON.stringify(tinyClassifier))
  writeFileSync(textFile ?? '', JSON.stringify(tinyText))
  writeFileSync(text ?? '', rhyme)
})

afterEach(() => {
  vi.restoreAllMocks()
})

/** The command in this process: its outcome, and what it has printed. */
const fathom = async (...args: readonly (string | undefined)[]) => {
  const parsed = parse(args.map(String))
  if (parsed._tag === 'Left') return { code: 2, message: parsed.left.message, printed: '' }
  if (parsed.right._tag !== 'Run') throw new Error('help was asked for')
  let printed = ''
  const print = (what: unknown): boolean => {
    printed += String(what)
    return true
  }
  vi.spyOn(process.stdout, 'write').mockImplementation(print)
  vi.spyOn(process.stderr, 'write').mockImplementation(print)
  const { command, positional, others, flags } = parsed.right
  const outcome = await outcomeOf(command, positional, others, flags)
  vi.restoreAllMocks()
  return { message: '', ...outcome, printed }
}

const outcomeOf = (
  command: string,
  positional = '',
  others: readonly string[],
  flags: Parameters<typeof runResume>[1],
): Promise<Outcome> => {
  const place = positional === '' ? undefined : positional
  if (command === 'train-classifier') return runTrainClassifier(place, flags)
  if (command === 'train-text') return runTrainText(place, flags)
  if (command === 'resume') return runResume(positional, flags)
  return command === 'write' ? runWrite(positional, flags) : runClassify(positional, others, flags)
}

const written = (run: string): object => JSON.parse(readFileSync(join(run, 'config.json'), 'utf8')) as object

describe('a classifier by the command', () => {
  const run = directory()
  let trained: Awaited<ReturnType<typeof fathom>>
  beforeAll(async () => {
    const flags = ['--config', classifierFile, '--lr', '0.03', '--steps', '30', '--out', run] as const
    trained = await fathom('train-classifier', pictures, ...flags)
  })

  it('is trained, with its accuracy on held-out pictures, and with words on how to go on', () => {
    expect([trained.code, trained.message]).toEqual([0, ''])
    expect(trained.printed).toMatch(
      /40 usable · 4 held out · 2 classes[^]*MLP 8×8 · 1,562 parameters[^]*says day, night[^]*held-out accuracy \d+\.\d %[^]*✓ table of classes of step 30/,
    )
    expect(trained.printed).toContain(`fathom classify ${run} PICTURE`)
    expect(written(run)).toMatchObject({
      task: 'classification',
      labels: ['day', 'night'],
      learningRate: 0.03,
      steps: 30,
    })
  })

  it('says what pictures show, in columns and as JSON, and which cannot be read', async () => {
    const [day, night] = [join(pictures, 'day', '1.png'), join(pictures, 'night', '1.png')]
    const found = await fathom('classify', run, day, night, '--top', '1')
    expect(found.code).toBe(0)
    expect(found.printed).toMatch(
      /^ {2}\S+day\/1\.png {4}day {3} *\d+\.\d %\n {2}\S+night\/1\.png {2}night *\d+\.\d %\n$/,
    )
    const json = await fathom('classify', run, day, '--json')
    expect(JSON.parse(json.printed)).toEqual([
      { picture: day, class: 'day', probabilities: { day: expect.any(Number), night: expect.any(Number) } },
    ])
    const broken = await fathom('classify', run, text, night)
    expect(broken).toMatchObject({ code: 1, message: '1 picture of 2 cannot be read' })
    expect(broken.printed).toMatch(/note +\S+sea\.txt cannot be used[^]*night\/1\.png {2}night/)
  })

  it('goes on by resume, which says how to use it', async () => {
    const { code, printed } = await fathom('resume', run, '--steps', '31')
    expect([code, printed.includes('fathom classify')]).toEqual([0, true])
  })

  it.each([
    [
      ['train-classifier', 'PICTURES', '--model', 'vitt'],
      '--model must be one of mlp, resnet, vit, got "vitt"; did you mean vit?',
    ],
    [
      ['train-classifier', 'PICTURES', '--size', '30', '--model', 'vit'],
      'vit: patches of 4×4 do not tile pictures of 30×30',
    ],
    [['train-classifier', '--channels', '1'], '--channels must be 3 for procedural seas, got 1'],
    [
      ['train-classifier', 'PICTURES', '--preset', 'classes'],
      '--preset must be one of classes-32, classes-64, got "classes"',
    ],
    [['classify', 'run'], '`fathom classify` needs a picture too: fathom classify DIRECTORY PICTURE …'],
    [['classify', 'run', 'a.png', '--top', '0'], '--top must be a whole number ≥ 1, got 0'],
  ])('%j is wrong usage', async (args, message) => {
    const found = await fathom(...args.map((arg) => (arg === 'PICTURES' ? pictures : arg)))
    expect([found.code, found.printed]).toEqual([2, ''])
    expect(found.message).toContain(message)
  })
})

describe('a text model by the command', () => {
  const run = directory()
  let trained: Awaited<ReturnType<typeof fathom>>
  beforeAll(async () => {
    trained = await fathom('train-text', text, '--config', textFile, '--width', '16', '--out', run)
  })

  it('is trained, with nats a character of what is held out, and with words on how to go on', () => {
    expect([trained.code, trained.message]).toEqual([0, ''])
    expect(trained.printed).toMatch(
      /544 characters, of which 54 are held out[^]*GPT of \d+ characters, context 8[^]*held-out \d\.\d{3} nats a character \(\d\.\d\d bits\)[^]*✓ text of step 6/,
    )
    expect(trained.printed).toContain(`fathom write ${run}`)
    expect(written(run)).toMatchObject({
      task: 'text',
      alphabet: expect.stringContaining('abefhlnoprstuv'),
      model: { width: 16, context: 8 },
    })
  })

  it('writes on from a prompt, the same of a seed', async () => {
    const args = ['write', run, '--prompt', 'the sea', '--length', '9', '--seed', '4', '--top-p', '0.9'] as const
    const one = await fathom(...args)
    expect([one.code, one.message]).toEqual([0, ''])
    expect(one.printed).toMatch(/^the sea[^]{9,10}$/)
    expect((await fathom(...args)).printed).toBe(one.printed)
    expect(await fathom('write', run, '--prompt', 'ship')).toMatchObject({
      code: 1,
      message: expect.stringContaining("'i' is not among"),
    })
  })

  it.each([
    [['train-text'], '`fathom train-text` needs a file: fathom train-text FILE'],
    [['train-text', 'TEXT', '--heads', '3'], '--heads must be a divisor of the width, 128, got 3'],
    [['train-text', 'TEXT', '--tokens', 'words'], '--tokens must be one of characters, bytes, got "words"'],
    [['write', 'RUN', '--temperature', '0'], '--temperature must be a number above 0, got 0'],
    [['write', 'RUN', '--top-p', '2'], '--top-p must be a number above 0 and at most 1, got 2'],
  ])('%j is wrong usage', async (args, message) => {
    const places: Readonly<Record<string, string | undefined>> = { TEXT: text, RUN: run }
    const found = await fathom(...args.map((arg) => places[arg] ?? arg))
    expect([found.code, found.printed]).toEqual([2, ''])
    expect(found.message).toContain(message)
  })
})
