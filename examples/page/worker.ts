/** The Worker of the page: it has the device and the run, so that the page stays free to answer. */
import { open, type Device } from 'fathom'
import { dataOfSeas } from 'fathom/data'
import { decodeCommand, type Command, type Skipped, type Told } from './messages.ts'
import { dataOfPictures, decodeAll, wordsOn } from './pictures.ts'
import { configFor, type Settings } from './settings.ts'
import { trainerFor, type Job, type Trainer } from './trainer.ts'

/** Tells the page; bytes are handed over, not copied. */
const tell = (told: Told): void => {
  const bytes = 'sheet' in told ? told.sheet.bytes : 'bytes' in told ? told.bytes : undefined
  postMessage(told, { transfer: bytes === undefined ? [] : [bytes.buffer] })
}

let device: Device | undefined
let trainer: Trainer | undefined
let stopping = new AbortController()

/** The pictures of a run, and what is to be said of them. */
interface Opened extends Pick<Job, 'data' | 'summary'> {
  readonly skipped: readonly Skipped[]
  readonly warnings: readonly string[]
}

const openSeas = ({ seed, side }: Settings): Opened => ({
  data: dataOfSeas({ seed, size: side }),
  summary: 'procedural seas, each drawn once',
  skipped: [],
  warnings: [],
})

const openFiles = async ({ seed, side }: Settings, files: readonly File[]): Promise<Opened> => {
  const onFile = (done: number): void =>
    tell({ kind: 'preparing', what: `Reading pictures: ${done} of ${files.length}` })
  const { pictures, skipped } = await decodeAll(files, side, onFile)
  const warnings = wordsOn(pictures.length)
  const data = dataOfPictures(pictures, side, seed)
  return { data, skipped, warnings, summary: `${pictures.length} pictures, ${data.heldOutCount} of them held out` }
}

const openDevice = async (name: Settings['device']): Promise<void> => {
  tell({ kind: 'preparing', what: 'Opening the device' })
  await device?.close()
  ;[trainer, device] = [undefined, undefined]
  // Who names the GPU means any: also one that is a program, which is never taken unasked.
  const opening = name === 'automatic' ? open() : name === 'webgpu' ? open(name, { software: true }) : open(name)
  const opened = await opening()
  if (opened._tag === 'Left') throw new Error(`${opened.left.message}. Choose another device.`)
  device = opened.right
  tell({ kind: 'opened', description: device.description })
}

/** Makes steps until the last, or until the page says stop. */
const lead = async (run: Trainer): Promise<void> => {
  stopping = new AbortController()
  try {
    await run.run(stopping.signal)
  } catch (error) {
    trainer = undefined // a step consumes the state before it: there is none to go on from
    throw error
  }
  tell({ kind: 'rested', step: run.step() })
}

const start = async (settings: Settings, files: readonly File[]): Promise<void> => {
  if (device === undefined) throw new Error('No device is open: choose one.')
  trainer = undefined
  const config = configFor(settings, files.length > 0)
  const { data, summary, skipped, warnings } = files.length > 0 ? await openFiles(settings, files) : openSeas(settings)
  tell({ kind: 'preparing', what: 'Planning the training step' })
  const run = await trainerFor({ device, config, data, summary }, tell)
  const { steps, sampleEvery } = config
  tell({ kind: 'started', steps, sampleEvery, ...run.facts, data: summary, skipped, warnings })
  tell({ kind: 'real', sheet: run.real })
  trainer = run
  await lead(run)
}

const obey = async (command: Command): Promise<void> => {
  switch (command.kind) {
    case 'open':
      return openDevice(command.device)
    case 'start':
      return start(command.settings, command.files)
    case 'stop':
      return stopping.abort()
    case 'continue':
      return trainer === undefined ? undefined : lead(trainer)
    case 'draw':
      return trainer?.draw()
    case 'save':
      return trainer?.save()
  }
}

addEventListener('message', ({ data }: MessageEvent<unknown>) => {
  obey(decodeCommand(data)).catch((error: unknown) => {
    tell({ kind: 'failed', why: error instanceof Error ? error.message : String(error), goesOn: trainer !== undefined })
  })
})
