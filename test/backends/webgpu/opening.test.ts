/** Which GPU is taken, by whom, and what those are told who get none. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { findFastest } from '../../../src/backends/registry.ts'
import { Unavailable } from '../../../src/backends/unavailable.ts'
import { findAdapter } from '../../../src/backends/webgpu/adapter.ts'
import { missingIn, type Machine } from '../../../src/backends/webgpu/vulkan.node.ts'
import { wishIn } from '../../../src/backends/webgpu/wish.ts'
import { open } from '../../../src/index.ts'

const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json'

beforeAll(() => {
  if (!existsSync(swiftShader)) throw new Error(`these tests need SwiftShader: install chromium (no ${swiftShader})`)
  vi.stubEnv('VK_ICD_FILENAMES', swiftShader) // also where there is a real GPU
})

const wish = (value: string | undefined): void => {
  vi.stubEnv('FATHOM_WEBGPU', value)
}

afterEach(() => {
  wish('0')
})

/** What opening gives: the description, or the message. */
const opened = async (opening: ReturnType<typeof open>): Promise<string> => {
  const result = await opening()
  if (result._tag === 'Left') return result.left.message
  await result.right.close()
  return result.right.description
}

describe('opening a GPU', () => {
  it('takes no program that plays one, unless it is asked for by option or by the environment', async () => {
    wish(undefined)
    expect(await opened(open('webgpu'))).toMatch(
      /^device 'webgpu' could not be opened: the only GPU here, SwiftShader.*, is a program on the processor, slower than the device 'wasm'; to use it nonetheless, open with { software: true }, or set FATHOM_WEBGPU=software$/,
    )
    expect(await opened(open('webgpu', { software: true }))).toMatch(/^webgpu · SwiftShader.*, in software$/)
    wish('software')
    expect(await opened(open('webgpu', { software: false }))).toMatch(/is a program on the processor/)
    expect(await opened(open('webgpu'))).toMatch(/^webgpu · SwiftShader.*, in software$/)
    expect(await opened(open())).toMatch(/^webgpu · SwiftShader.*, in software$/)
    expect(await findFastest()()).toEqual({ _tag: 'Right', right: { name: 'webgpu', notes: [] } })
  })

  it('falls back to the processor, which says in few words why', async () => {
    wish(undefined)
    expect(await opened(open(undefined, { wasm: { threads: 1 } }))).toMatch(/^wasm · 1 thread · .* · no GPU was found$/)
    expect(await findFastest()()).toEqual({ _tag: 'Right', right: { name: 'wasm', notes: ['no GPU was found'] } })
  })

  it('is forbidden by FATHOM_WEBGPU=0, and then nothing is said of it to those who did not ask', async () => {
    expect(await opened(open('webgpu'))).toBe(
      "device 'webgpu' could not be opened: no GPU is taken while the environment has FATHOM_WEBGPU=0: unset it",
    )
    expect(await findFastest()()).toEqual({ _tag: 'Right', right: { name: 'wasm', notes: [] } })
    expect(await opened(open(undefined, { wasm: { threads: 1 } }))).not.toMatch(/GPU/)
  })

  it('refuses another word in the environment, and does not guess', async () => {
    wish('1')
    expect(await opened(open('webgpu'))).toMatch(
      /FATHOM_WEBGPU is '1', and may be 0 \(.*\), software \(.*\), or absent$/,
    )
    expect(wishIn({})).toBe('any')
    expect(wishIn({ FATHOM_WEBGPU: '' })).toBe('any')
    expect(() => wishIn({ FATHOM_WEBGPU: 'constructor' })).toThrow('may be 0')
  })

  it('names its options where there is no such one', async () => {
    // @ts-expect-error there is no such option
    expect(await opened(open('webgpu', { powr: 'low-power' }))).toBe(
      "device 'webgpu' could not be opened: 'webgpu' has no option 'powr'; did you mean power?",
    )
    // @ts-expect-error 'threads' is an option of wasm
    expect(await opened(open('webgpu', { threads: 2 }))).toMatch(/'threads' is an option of 'wasm'/)
  })

  it('says in a checked device that there is none, too', async () => {
    expect(await opened(open('webgpu', { check: 'nan' }))).toMatch(/FATHOM_WEBGPU=0/)
    expect(await opened(open(undefined, { check: 'nan' }))).toMatch(/^wasm/)
  })

  it('prints nothing where there is none', async () => {
    const script = `
      import { open } from '${new URL('../../../src/index.ts', import.meta.url).href}'
      const { right } = await open(undefined, { wasm: { threads: 1 } })()
      console.log(right.name)
    `
    const { VK_ICD_FILENAMES: _, FATHOM_WEBGPU: __, ...env } = process.env
    const printed = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { env })
    expect(printed).toEqual({ stdout: expect.stringMatching(/^(?:wasm|webgpu)\n$/), stderr: '' })
  })
})

describe('what Vulkan lacks on Linux', () => {
  const machine = (
    environment: Machine['environment'],
    files: { readonly [directory: string]: readonly string[] },
    cache: string | undefined = 'libvulkan.so.1 (libc6,x86-64) => /lib/libvulkan.so.1',
  ): Machine => ({ environment, list: (directory) => files[directory] ?? [], linkerCache: () => cache })
  const drivers = { '/usr/share/vulkan/icd.d': ['nvidia_icd.json'] }

  it('is nothing where there are a loader and a driver, by a directory or by a variable', () => {
    expect(missingIn(machine({}, drivers))).toBeUndefined()
    expect(missingIn(machine({ VK_DRIVER_FILES: '/opt/a.json' }, {}))).toBeUndefined()
    expect(missingIn(machine({ HOME: '/home/a' }, { '/home/a/.local/share/vulkan/icd.d': ['a.json'] }))).toBeUndefined()
    expect(missingIn(machine({ XDG_DATA_DIRS: '/x:/y' }, { '/y/vulkan/icd.d': ['a.json'] }))).toBeUndefined()
  })

  it('is a driver where no directory has a manifest', () => {
    expect(missingIn(machine({ VK_ICD_FILENAMES: '' }, { '/etc/vulkan/icd.d': ['README'] }))).toMatch(
      /no driver of Vulkan/,
    )
  })

  it('is the loader where the linker knows none, and no directory of the environment has it', () => {
    expect(missingIn(machine({}, drivers, 'libc.so.6'))).toMatch(/libvulkan\.so\.1, is not installed .*libvulkan1/)
    const beside = { ...drivers, '/opt/lib': ['libvulkan.so.1'] }
    expect(missingIn(machine({ LD_LIBRARY_PATH: '/usr/lib:/opt/lib' }, beside, 'libc.so.6'))).toBeUndefined()
    expect(missingIn({ ...machine({}, drivers), linkerCache: () => undefined })).toBeUndefined()
  })
})

describe('an adapter that is not there', () => {
  it('is an Unavailable, whose message says what may be missing', async () => {
    vi.stubGlobal('navigator', { gpu: { requestAdapter: () => Promise.resolve(null) } })
    const refused = await findAdapter({ software: true }).catch((e: unknown) => e)
    vi.unstubAllGlobals()
    expect(refused).toBeInstanceOf(Unavailable)
    expect(refused).toMatchObject({
      message: expect.stringMatching(/^no GPU was found: its driver/),
      brief: 'no GPU was found',
    })
  })

  it('in a page without WebGPU is the browser’s', async () => {
    vi.stubGlobal('process', undefined)
    const refused = await findAdapter({ software: true }).catch((e: unknown) => e)
    vi.unstubAllGlobals()
    expect(refused).toMatchObject({ brief: 'this browser has no WebGPU' })
  })
})
