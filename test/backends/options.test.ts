/** What devices can be told when they are opened, and what is refused. */
import { describe, expect, it } from 'vitest'
import { faultIn } from '../../src/backends/options.ts'
import { open, openDevice, type OptionsByName } from '../../src/index.ts'

const messageOf = async (opening: ReturnType<typeof open>): Promise<string> => {
  const opened = await opening()
  if (opened._tag === 'Left') return opened.left.message
  await opened.right.close()
  return `opened ${opened.right.name}`
}

describe('options of a device', () => {
  it('are its own: others do not compile, and are refused', async () => {
    // @ts-expect-error 'threads' is an option of wasm
    expect(await messageOf(open('cpu', { threads: 2 }))).toBe(
      "device 'cpu' could not be opened: 'threads' is an option of 'wasm', and 'cpu' has none of that name",
    )
    // @ts-expect-error 'fused' is an option of cpu
    expect(await messageOf(open('wasm', { fused: false }))).toBe(
      "device 'wasm' could not be opened: 'fused' is an option of 'cpu', and 'wasm' has none of that name",
    )
    // @ts-expect-error there is no such option
    await expect(openDevice('wasm', { thread: 1 })).rejects.toThrow(
      "device 'wasm' could not be opened: 'wasm' has no option 'thread'; did you mean threads?",
    )
    // @ts-expect-error there is no such option
    expect(await messageOf(open('cpu', { color: 'blue' }))).toBe(
      "device 'cpu' could not be opened: 'cpu' has no option 'color'; it has fused",
    )
  })

  it('stand under its name where it is not known beforehand which device is opened, and each takes its own', async () => {
    const options: OptionsByName = { cpu: { fused: false }, wasm: { threads: 1 } }
    expect(await messageOf(open('cpu' as string, options))).toBe('opened cpu, one primitive at a time')
    expect(await messageOf(open('wasm' as string, options))).toBe('opened wasm')
    const device = await openDevice(undefined, options)
    expect([device.name, device.threads]).toEqual(['wasm', 1])
    await device.close()
  })

  it('under a name are that device’s, also where another is opened', async () => {
    // @ts-expect-error 'threads' is an option of wasm
    expect(await messageOf(open('wasm', { cpu: { threads: 2 } }))).toBe(
      "device 'wasm' could not be opened: 'threads' is an option of 'wasm', and 'cpu' has none of that name",
    )
    expect(faultIn('cpu', { wasm: true })).toBe("wasm must be a record of options of 'wasm'")
  })

  it('without a name say whose they are', async () => {
    // @ts-expect-error whose option it is must be said
    expect(await messageOf(open(undefined, { threads: 2 }))).toBe(
      "no device could be opened: no device is named, so say whose option 'threads' is, as in { wasm: { threads: … } }",
    )
    expect(await messageOf(open(undefined, { choices: { fma: false, wide: false } }))).toBe(
      'no device could be opened: choices are those of one device: name it, as the run did that made them',
    )
    expect(await messageOf(open(undefined, { check: 'nan' }))).toBe('opened wasm, checked')
  })

  it('have no choices where the device makes none', async () => {
    expect(await messageOf(open('cpu', { choices: { fma: true } }))).toBe(
      `device 'cpu' could not be opened: cpu makes no choices, and was given {"fma":true}`,
    )
  })
})
