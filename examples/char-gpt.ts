/**
 * A small GPT that learns to write like these docs, character by character, by the trainer that trains on pictures.
 * `node scripts/node24.mjs examples/char-gpt.ts`, a minute on two cores.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { openDevice } from 'fathom'
import { memoryStore, textRun, usualRun, wholeRun, type TrainEvent } from 'fathom/train'

/** The docs: printable ASCII and ends of lines; every other character is read as `?`. */
const docs = (): string => {
  const folder = new URL('../docs/', import.meta.url)
  const pages = readdirSync(folder).filter((name) => /^\d.*\.md$/.test(name))
  const text = pages.map((name) => readFileSync(new URL(name, folder), 'utf8')).join('\n')
  return text.replaceAll(/[^\n -~]/gu, '?')
}

/** What the example takes. */
interface Options {
  readonly steps?: number
  readonly onEvent?: (event: TrainEvent) => void
}

/** Trains on the docs; returns what was measured at the end, in nats a character, and what it writes. */
export const charGpt = async ({ steps = 1500, onEvent = () => undefined }: Options = {}) => {
  const { task, source } = textRun(docs(), { context: 64, width: 64, depth: 2, heads: 4, tied: false, written: 200 })
  const device = await openDevice()
  const config = usualRun({ steps, device: device.name, learningRate: 6e-3 })
  const store = memoryStore()
  const result = await wholeRun({ config, task, source, device, emit: onEvent }, store)()
  await device.close()
  if (result._tag === 'Left') throw new Error(result.left.message)
  const written = [...store.files].find(([name]) => name.endsWith('.txt'))
  return { heldOut: result.right.measured?.['heldOut'] ?? NaN, text: new TextDecoder().decode(written?.[1]) }
}

if (import.meta.main) {
  const show = (event: TrainEvent): void => {
    if (event._tag === 'Stepped' && event.step % 50 === 0) console.log(`step ${event.step}: ${event.loss.toFixed(3)}`)
  }
  const { heldOut, text } = await charGpt({ onEvent: show })
  console.log(`held out: ${(heldOut / Math.LN2).toFixed(2)} bits a character; it writes:\n${text}`)
}
