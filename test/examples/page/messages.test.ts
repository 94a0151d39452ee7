/** What the page and its Worker tell each other: what is a message, and what is refused. */
import { describe, expect, it } from 'vitest'
import { decodeCommand, decodeTold, type Command, type Told } from '../../../examples/page/messages.ts'
import { settingsIn } from '../../../examples/page/settings.ts'

const sheet = { side: 2, count: 3, bytes: new Uint8Array(36) }

/** One of each. */
const commands: { readonly [K in Command['kind']]: Extract<Command, { readonly kind: K }> } = {
  open: { kind: 'open', device: 'wasm' },
  start: { kind: 'start', settings: settingsIn('?size=32'), files: [new File(['x'], 'a.png')] },
  stop: { kind: 'stop' },
  continue: { kind: 'continue' },
  draw: { kind: 'draw' },
  save: { kind: 'save' },
}

const told: { readonly [K in Told['kind']]: Extract<Told, { readonly kind: K }> } = {
  opened: { kind: 'opened', description: 'wasm · 2 threads' },
  preparing: { kind: 'preparing', what: 'Planning' },
  started: {
    kind: 'started',
    steps: 600,
    sampleEvery: 100,
    parameters: 9,
    memory: 1e6,
    data: 'seas',
    skipped: [{ name: 'a.txt', why: 'it is no picture' }],
    warnings: ['few'],
  },
  stepped: { kind: 'stepped', step: 1, loss: 0.5, seconds: 0.1 },
  measured: { kind: 'measured', step: 50, loss: 0.2, relative: 0.4 },
  drawing: { kind: 'drawing', done: 1, total: 25 },
  real: { kind: 'real', sheet },
  drawn: { kind: 'drawn', step: 100, sheet },
  rested: { kind: 'rested', step: 600 },
  saved: { kind: 'saved', name: 'seas.safetensors', bytes: new Uint8Array(8) },
  failed: { kind: 'failed', why: 'no', goesOn: false },
}

describe('a message', () => {
  it.each(Object.values(commands))(
    '$kind is a command, also as a copy that has crossed to another thread',
    (command) => {
      expect(decodeCommand(command)).toBe(command)
      const { files, ...rest } = { files: [], ...command }
      expect(decodeCommand(structuredClone({ ...rest, files }))).toEqual({ ...rest, files })
    },
  )

  it.each(Object.values(told))('$kind is told, also as a copy', (message) => {
    expect(decodeTold(message)).toBe(message)
    expect(decodeTold(structuredClone(message))).toEqual(message)
  })

  it.each([...Object.values(commands), ...Object.values(told)])(
    '$kind is refused without any one of its fields',
    (message) => {
      const decode = message.kind in commands ? decodeCommand : decodeTold
      for (const field of Object.keys(message)) {
        const less = Object.fromEntries(Object.entries(message).filter(([name]) => name !== field))
        expect(() => decode(less), field).toThrow(TypeError)
      }
    },
  )

  it.each([
    [undefined, 'undefined'],
    ['stop', 'stop'],
    [{ kind: 'halt' }, "a message 'halt'"],
    [{ kind: 'toString' }, "a message 'toString'"],
    [{ kind: 'open', device: 'abacus' }, "a message 'open'"],
    [{ kind: 'start', settings: { ...settingsIn(''), side: 17 }, files: [] }, "a message 'start'"],
    [{ kind: 'start', settings: settingsIn(''), files: ['a.png'] }, "a message 'start'"],
    [told.stepped, "a message 'stepped'"],
  ])('that is no command, as %j, is refused in words', (message, words) => {
    expect(() => decodeCommand(message)).toThrow(`the page sent ${words}, which is no command`)
  })

  it('of a sheet whose bytes are not those of its pictures is refused', () => {
    expect(() => decodeTold({ kind: 'real', sheet: { ...sheet, bytes: new Uint8Array(35) } })).toThrow(
      "the Worker sent a message 'real', which the page does not know",
    )
  })
})
