/**
 * The page that trains (examples/page), in a frame, as a person uses it: it is started, stopped, continued, asked for pictures and weights, given
 * pictures of which some are broken, and too few. The device that it must compute on is in the address, as `trains.html?device=wasm&steps=60`.
 */
import { readSafetensors } from 'fathom/io'
import { report, reportingFailure } from './report.ts'

const query = new URLSearchParams(location.search)
const device = query.get('device') ?? 'wasm'
const steps = Number(query.get('steps') ?? 60)

/** Waits until the browser shows what has changed. */
const frame = (): Promise<unknown> => new Promise((resolve) => requestAnimationFrame(resolve))

/** A page in a frame. */
interface Visited {
  /** The element of an id. */
  readonly part: <T extends Element>(id: string) => T
  readonly text: (id: string) => string
  readonly press: (id: string) => void
  /** Waits until it holds; a failure that the page shows ends it. */
  readonly until: (what: string, holds: () => boolean) => Promise<void>
}

const frameOf = (search: string): Promise<Document> =>
  new Promise((resolve, reject) => {
    const frame = document.createElement('iframe')
    frame.width = '1280'
    frame.height = '800'
    frame.src = `./index.html?${search}`
    frame.addEventListener('load', () => {
      if (frame.contentDocument === null) reject(new Error('the page does not load'))
      else resolve(frame.contentDocument)
    })
    document.body.replaceChildren(frame)
  })

/** Opens the page. */
const visited = async (settings: Readonly<Record<string, string>>): Promise<Visited> => {
  const inside = await frameOf(new URLSearchParams({ device, ...settings }).toString())
  const part = <T extends Element>(id: string): T => {
    const found = inside.querySelector<T>(`#${id}`)
    if (found === null) throw new Error(`the page has no '${id}'`)
    return found
  }
  const text = (id: string): string => part(id).textContent ?? ''
  const until = async (what: string, holds: () => boolean): Promise<void> => {
    while (!holds()) {
      if (text('failure') !== '') throw new Error(`waiting for ${what}, the page says: ${text('failure')}`)
      await frame()
    }
  }
  const page = { part, text, press: (id: string) => part<HTMLElement>(id).click(), until }
  await until('a device', () => text('status').startsWith('Ready'))
  if (!text('description').startsWith(device)) throw new Error(`not ${device} is open, but ${text('description')}`)
  return page
}

const stepOf = ({ text }: Visited): number => Number.parseInt(text('step').replaceAll(',', ''), 10)

/** Pixels of a canvas: [red, green, blue, opacity] of each. */
const pixelsOf = (canvas: HTMLCanvasElement): readonly (readonly number[])[] => {
  const pixels = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data
  return Array.from({ length: canvas.width * canvas.height }, (_, i) => [...(pixels?.subarray(4 * i, 4 * i + 4) ?? [])])
}

/** Colours of the opaque pixels, each once. */
const coloursOf = (canvas: HTMLCanvasElement): readonly string[] => [
  ...new Set(
    pixelsOf(canvas)
      .filter(([, , , opacity]) => opacity === 255)
      .map(([red, green, blue]) => `${red},${green},${blue}`),
  ),
]

/** A run from its start to its end, with a stop in the middle; the losses of the steps that were shown. */
const trained = async (page: Visited): Promise<readonly number[]> => {
  const { text, press, until } = page
  const losses = new Map<number, number>()
  const look = (): number => {
    const step = stepOf(page)
    if (step > 0 && text('loss') !== '–') losses.set(step, Number(text('loss')))
    return step
  }
  press('start')
  await until('the first steps', () => look() >= Math.min(10, steps / 3))
  press('stop')
  await until('a stop', () => /^(?:Stopped|Done)/.test(text('status')))
  const stopped = stepOf(page)
  await new Promise((resolve) => setTimeout(resolve, 300))
  if (stepOf(page) !== stopped || stopped >= steps)
    throw new Error(`stopped at step ${stopped}, it is at ${text('step')}`)
  press('continue')
  await until('the last step', () => look() === steps && text('status').startsWith('Done'))
  return [...losses].toSorted(([a], [b]) => a - b).map(([, loss]) => loss)
}

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length

/** A sheet must show many colours: 16 pictures of one colour would have 16. */
const look = (page: Visited, what: string): readonly string[] => {
  const colours = coloursOf(page.part<HTMLCanvasElement>('drawn'))
  if (colours.length < 100) throw new Error(`${what} has ${colours.length} colours`)
  return colours
}

/** The file that the page saved. */
const saved = async ({
  part,
  press,
  until,
}: Visited): Promise<{ readonly name: string; readonly bytes: Uint8Array }> => {
  press('save')
  await until('weights', () => part('saved').querySelector('a') !== null)
  const link = part('saved').querySelector('a')
  const bytes = new Uint8Array(await (await fetch(link?.href ?? '')).arrayBuffer())
  const file = readSafetensors(bytes)
  if (file._tag === 'Left') throw new Error(file.left.message)
  for (const [name, { dtype, bytes: own }] of file.right.tensors) {
    if (dtype !== 'f32') throw new Error(`'${name}' is saved as ${dtype}`)
    if (!new Float32Array(own.slice().buffer).every(Number.isFinite))
      throw new Error(`'${name}' is saved with what is no number`)
  }
  return { name: link?.download ?? '', bytes }
}

/** Bytes as text, for a message in JSON. */
const base64 = (bytes: Uint8Array): string => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))

/** Learns seas, draws, and saves. */
const seas = async (): Promise<void> => {
  const page = await visited({ steps: String(steps), every: String(steps), sampler: '10' })
  const losses = await trained(page)
  const [first, last] = [mean(losses.slice(0, 5)), mean(losses.slice(-5))]
  if (!(last < 0.8 * first)) throw new Error(`the loss went from ${first} to ${last}`)
  const before = look(page, 'the sheet of the last step')
  page.press('draw')
  await page.until('another sheet', () => coloursOf(page.part<HTMLCanvasElement>('drawn')).join() !== before.join())
  look(page, 'another sheet')
  const { name, bytes } = await saved(page)
  const words = `loss ${first.toFixed(3)} → ${last.toFixed(3)} in ${steps} steps, ${page.text('speed')} a second; two sheets drawn`
  await report({
    kind: 'found',
    line: `the page that trains, on ${page.text('description')}: ${words}; ${name}, ${bytes.length} bytes`,
  })
  await report({ kind: 'weights', name, base64: base64(bytes) })
}

/** A picture whose middle square is of one colour, and its sides of another. */
const pictured = async (colour: string, name: string): Promise<File> => {
  const canvas = new OffscreenCanvas(120, 40)
  const context = canvas.getContext('2d')
  if (context === null) throw new Error('there is no canvas')
  context.fillStyle = '#0f0'
  context.fillRect(0, 0, 120, 40)
  context.fillStyle = colour
  context.fillRect(38, 0, 44, 40)
  return new File([await canvas.convertToBlob()], name, { type: 'image/png' })
}

const give = ({ part }: Visited, files: readonly File[]): void => {
  const input = part<HTMLInputElement>('files')
  const transfer = new DataTransfer()
  for (const file of files) transfer.items.add(file)
  input.files = transfer.files
  input.dispatchEvent(new Event('change', { bubbles: true }))
}

/** Learns pictures that it is given: it crops them to their middle, passes over what is none, and refuses too few. */
const pictures = async (): Promise<void> => {
  const page = await visited({ steps: '2', every: '2', sampler: '2' })
  const broken = [new File(['no picture'], 'broken.jpg', { type: 'image/jpeg' })]
  const red = await pictured('#f00', 'red.png')
  give(page, [red, ...broken])
  page.press('start')
  while (page.text('failure') === '') await frame()
  if (!page.text('failure').startsWith('Only 1 of these files is a picture'))
    throw new Error(`of too few pictures it says: ${page.text('failure')}`)
  give(page, [...Array.from({ length: 10 }, () => red), ...broken])
  while (page.text('failure') !== '') await frame()
  page.press('start')
  await page.until('the last step', () => page.text('status').startsWith('Done'))
  const real = coloursOf(page.part<HTMLCanvasElement>('real'))
  if (real.join() !== '255,0,0') throw new Error(`of red middles it has made ${real.join(' ')}`)
  if (!page.text('warnings').includes('broken.jpg'))
    throw new Error(`of a broken picture it says: ${page.text('warnings')}`)
  await report({ kind: 'found', line: `it takes pictures: ${page.text('facts')}; ${page.text('warnings')}` })
}

await reportingFailure(async () => {
  await seas()
  await pictures()
  await report({ kind: 'done' })
})
