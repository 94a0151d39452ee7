/** The wasm backend as a page's user opens it, through the package's entry. */
import { open, tensor, type DeviceOptions } from 'fathom'
import { report } from './report.ts'

/** Opens a device without a word on threads: it must have this many. Reports how it describes itself. */
export const openedAsUsual = async (threads: number): Promise<void> => {
  const opened = await open('wasm')()
  if (opened._tag === 'Left') throw new Error(opened.left.message)
  const device = opened.right
  await report({ kind: 'found', line: device.description })
  if (device.threads !== threads)
    throw new Error(`a device has ${device.threads} threads here, and should have ${threads}`)
  const [two] = await device.read(tensor([1]).add(1))
  if (two !== 2) throw new Error(`1 + 1 came out as ${two}`)
  await device.close()
}

/** Asks for what cannot be had: the message must say so with these words. */
export const refused = async (options: DeviceOptions<'wasm'>, words: string): Promise<void> => {
  const opened = await open('wasm', options)()
  if (opened._tag === 'Right') throw new Error(`a device opened with ${JSON.stringify(options)}`)
  if (!opened.left.message.includes(words)) throw new Error(`${words} is not in: ${opened.left.message}`)
}
