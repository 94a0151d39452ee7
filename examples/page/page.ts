/** The page itself: fields and buttons become commands to the Worker, and what it tells is shown. */
import { drawChart } from './chart.ts'
import { filesDropped, inOrder } from './drop.ts'
import { decodeTold, type Command, type Told } from './messages.ts'
import { devices, isOneOf, settingsIn, sideOf, sizes, type Settings } from './settings.ts'
import { drawSheet } from './sheet.ts'
import { allowed, asked, firstView, heard, inTime, statusOf, type View } from './view.ts'

/** The element of this id. */
const part = <T extends Element>(id: string, type: new () => T): T => {
  const found = document.querySelector(`#${id}`)
  if (found instanceof type) return found
  throw new Error(`the page has no ${type.name} '${id}'`)
}

/** The choice between buttons of this name. */
const choice = (form: HTMLFormElement, name: string): RadioNodeList => {
  const found = form.elements.namedItem(name)
  if (found instanceof RadioNodeList) return found
  throw new Error(`the page has no choice '${name}'`)
}

const parts = {
  settings: part('settings', HTMLFormElement),
  source: choice(part('settings', HTMLFormElement), 'source'),
  choices: part('choices', HTMLFieldSetElement),
  dropping: part('dropping', HTMLElement),
  files: part('files', HTMLInputElement),
  zoneWords: part('zone-words', HTMLElement),
  zoneHint: part('zone-hint', HTMLElement),
  size: part('size', HTMLSelectElement),
  steps: part('steps', HTMLInputElement),
  device: part('device', HTMLSelectElement),
  description: part('description', HTMLElement),
  start: part('start', HTMLButtonElement),
  stop: part('stop', HTMLButtonElement),
  goOn: part('continue', HTMLButtonElement),
  draw: part('draw', HTMLButtonElement),
  save: part('save', HTMLButtonElement),
  saved: part('saved', HTMLElement),
  failure: part('failure', HTMLElement),
  warnings: part('warnings', HTMLElement),
  status: part('status', HTMLElement),
  facts: part('facts', HTMLElement),
  progress: part('progress', HTMLProgressElement),
  step: part('step', HTMLElement),
  loss: part('loss', HTMLElement),
  heldOut: part('held-out', HTMLElement),
  speed: part('speed', HTMLElement),
  left: part('left', HTMLElement),
  chart: part('chart', HTMLCanvasElement),
  drawn: part('drawn', HTMLCanvasElement),
  drawnWords: part('drawn-words', HTMLElement),
  real: part('real', HTMLCanvasElement),
  realWords: part('real-words', HTMLElement),
  drop: part('drop', HTMLElement),
}

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })

let view: View = firstView
/** What was dropped or chosen. */
let files: readonly File[] = []

/** The settings of the address, and those of the usual address where it says what cannot be meant. */
const addressed = (): { readonly settings: Settings; readonly fault?: string } => {
  try {
    return { settings: settingsIn(location.search) }
  } catch (error) {
    return { settings: settingsIn(''), fault: error instanceof Error ? error.message : String(error) }
  }
}
const { settings: chosen, fault } = addressed()

// What is shown.

const show = (element: HTMLElement, text: string): void => {
  if (element.textContent !== text) element.textContent = text
  if (element.classList.contains('notice')) element.hidden = text === ''
}

/** Messages of the library begin with the name of what fails, and a sentence with a capital. */
const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** Sentences, and a list of what was passed over. */
const showWarnings = ({ warnings, skipped }: View): void => {
  const item = (text: string): HTMLElement => {
    const line = document.createElement('li')
    line.textContent = text
    return line
  }
  const list = document.createElement('ul')
  list.append(...skipped.slice(0, 5).map(({ name, why }) => item(`${name}: ${why}`)))
  if (skipped.length > 5) list.append(item(`and ${skipped.length - 5} more`))
  const passedOver = skipped.length === 1 ? ['One file is passed over:'] : [`${skipped.length} files are passed over:`]
  parts.warnings.replaceChildren(
    [...warnings, ...(skipped.length > 0 ? passedOver : [])].join(' '),
    ...(skipped.length > 0 ? [list] : []),
  )
  parts.warnings.hidden = warnings.length + skipped.length === 0
}

const showNumbers = ({ step, steps, loss, relative, secondsPerStep, phase }: View): void => {
  show(parts.step, steps === 0 ? '–' : `${step.toLocaleString('en-US')} of ${steps.toLocaleString('en-US')}`)
  show(parts.loss, loss === undefined ? '–' : loss.toFixed(3))
  show(parts.heldOut, relative === undefined ? '–' : `${Math.round(relative * 100)} %`)
  const speed = secondsPerStep === undefined ? undefined : 1 / secondsPerStep
  show(parts.speed, speed === undefined ? '–' : speed.toFixed(speed < 10 ? 1 : 0))
  const running = phase === 'training' && secondsPerStep !== undefined
  show(parts.left, running ? inTime((steps - step) * secondsPerStep) : '–')
  parts.progress.value = steps === 0 ? 0 : step / steps
}

const showButtons = (now: View): void => {
  const may = allowed(now)
  parts.choices.disabled = !may.choose
  const unfinished = now.phase === 'resting' && now.step < now.steps
  const stopping = now.phase === 'training' || now.phase === 'stopping'
  parts.start.hidden = stopping
  parts.start.disabled = !may.start
  parts.start.textContent = now.phase === 'resting' ? 'Start anew' : 'Start'
  parts.start.classList.toggle('main', !unfinished)
  parts.stop.hidden = !stopping
  parts.stop.disabled = !may.stop
  parts.goOn.hidden = !unfinished
  parts.goOn.disabled = !may.continue
  parts.draw.disabled = !may.use || now.drawing !== undefined
  parts.save.disabled = !may.use
}

/** The sheets that are on the canvases: they are drawn once. */
let onCanvas: Pick<View, 'real' | 'drawn'> = { real: undefined, drawn: undefined }

const showSheets = ({ real, drawn, drawing, steps, sampleEvery }: View): void => {
  if (real !== onCanvas.real && real !== undefined) drawSheet(parts.real, real)
  if (drawn !== onCanvas.drawn && drawn !== undefined) drawSheet(parts.drawn, drawn.sheet)
  onCanvas = { real, drawn }
  parts.real.classList.toggle('empty', real === undefined)
  parts.drawn.classList.toggle('empty', drawn === undefined)
  const after = drawn === undefined ? '' : `after ${drawn.step.toLocaleString('en-US')} steps`
  const soon = steps === 0 ? '' : `the first after ${Math.min(steps, sampleEvery).toLocaleString('en-US')} steps`
  show(parts.drawnWords, drawing === undefined ? after || soon : `drawing ${drawing.done} of ${drawing.total}`)
  show(parts.realWords, real === undefined ? '' : 'what it learns from')
}

const render = (): void => {
  show(parts.status, statusOf(view))
  show(parts.description, view.device)
  show(parts.facts, view.facts)
  show(parts.failure, sentence(view.failure ?? ''))
  showWarnings(view)
  showNumbers(view)
  showButtons(view)
  showSheets(view)
  drawChart(parts.chart, { steps: view.steps, training: view.curve.points, heldOut: view.heldOut })
}

let due = false

/** Shows the view before the next picture of the screen, however often it changes until then. */
const changed = (next: View): void => {
  view = next
  if (due) return
  due = true
  requestAnimationFrame(() => {
    due = false
    render()
  })
}

// What the Worker tells.

/** Gives bytes to the person as a file, and leaves a link for another time. */
const offer = ({ name, bytes }: Extract<Told, { readonly kind: 'saved' }>): void => {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([new Uint8Array(bytes)], { type: 'application/octet-stream' }))
  link.download = name
  link.textContent = name
  parts.saved.replaceChildren(
    'Saved ',
    link,
    `, ${Math.ceil(bytes.length / 1000).toLocaleString('en-US')} kB. Draw from it: `,
  )
  const command = document.createElement('code')
  command.textContent = `fathom sample ${name}`
  parts.saved.append(command)
  parts.saved.hidden = false
  link.click()
}

worker.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
  const told = decodeTold(data)
  changed(heard(view, told))
  if (told.kind === 'saved') offer(told)
})
worker.addEventListener('error', ({ message }) => {
  changed({
    ...view,
    phase: 'broken',
    failure: `The Worker has ended: ${message || 'its file could not be loaded'}. Load the page again.`,
  })
})

// What a person does.

const send = (command: Command): void => {
  changed(asked(view, command.kind))
  worker.postMessage(command)
}

const fail = (failure: string): void => changed({ ...view, failure })

const take = (found: readonly File[]): void => {
  files = found
  parts.source.value = 'pictures'
  parts.dropping.hidden = false
  parts.zoneWords.textContent =
    found.length === 0
      ? 'Drop pictures or a folder'
      : `${found.length === 1 ? 'One file' : `${found.length.toLocaleString('en-US')} files`}, ready`
  if (found.length > 0) parts.zoneHint.textContent = 'Drop others, or click to choose them'
  changed({ ...view, failure: undefined })
}

const start = (): void => {
  const steps = parts.steps.valueAsNumber
  const side = sideOf(parts.size.value) ?? chosen.side
  const own = parts.source.value === 'pictures'
  if (own && files.length === 0)
    return fail('There are no pictures yet: drop some on this page, or train on procedural seas.')
  parts.saved.hidden = true
  const every = steps === chosen.steps ? chosen.sampleEvery : Math.max(1, Math.round(steps / 6))
  send({ kind: 'start', settings: { ...chosen, side, steps, sampleEvery: every }, files: own ? files : [] })
}

const option = (value: string, text: string): HTMLOptionElement => new Option(text, value)

parts.size.append(...Object.entries(sizes).map(([side, { words }]) => option(side, words)))
parts.device.append(...devices.map((name) => option(name, name)))
parts.size.value = String(chosen.side)
parts.steps.value = String(chosen.steps)
parts.device.value = chosen.device

parts.size.addEventListener('change', () => {
  const side = sideOf(parts.size.value)
  if (side !== undefined) parts.steps.value = String(sizes[side].steps)
})
parts.device.addEventListener('change', () => {
  const { value } = parts.device
  if (isOneOf(devices, value)) send({ kind: 'open', device: value })
})
parts.settings.addEventListener('change', () => {
  parts.dropping.hidden = parts.source.value !== 'pictures'
})
parts.settings.addEventListener('submit', (event) => {
  event.preventDefault()
  start()
})
parts.stop.addEventListener('click', () => send({ kind: 'stop' }))
parts.goOn.addEventListener('click', () => send({ kind: 'continue' }))
parts.draw.addEventListener('click', () => send({ kind: 'draw' }))
parts.save.addEventListener('click', () => send({ kind: 'save' }))
parts.files.addEventListener('change', () => take(inOrder([...(parts.files.files ?? [])])))

const carriesFiles = ({ dataTransfer }: DragEvent): boolean => dataTransfer?.types.includes('Files') ?? false

addEventListener('dragover', (event) => {
  if (!carriesFiles(event)) return
  event.preventDefault()
  parts.drop.hidden = parts.choices.disabled
})
addEventListener('dragleave', ({ relatedTarget }) => {
  if (relatedTarget === null) parts.drop.hidden = true
})
addEventListener('drop', (event) => {
  if (!carriesFiles(event) || event.dataTransfer === null) return
  event.preventDefault()
  parts.drop.hidden = true
  if (parts.choices.disabled) return fail('Stop training first, then drop pictures.')
  filesDropped(event.dataTransfer).then(take, () =>
    fail('What was dropped cannot be read: drop pictures, or a folder of them.'),
  )
})
addEventListener('resize', () => changed(view))
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => changed(view))

send({ kind: 'open', device: chosen.device })
if (fault !== undefined) fail(fault)
