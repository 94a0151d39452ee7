/** WebGPU on Node: Dawn, in npm's package `webgpu`. */
import process from 'node:process'
import { Unavailable } from '../unavailable.ts'
import { missingHere } from './vulkan.node.ts'

/** Named by a value: the package brings types of WebGPU that are others than TypeScript's. */
const packageName: string = 'webgpu'

interface Dawn {
  /** @param flags switches of Dawn */
  readonly create: (flags: readonly string[]) => GPU
}

/** The instance of this process: Dawn's must outlive all that is made with it. */
let opened: Promise<GPU> | undefined

const load = async (): Promise<GPU> => {
  try {
    const { create } = (await import(packageName)) as Dawn
    return create([])
  } catch (e) {
    const why = e instanceof Error ? e.message : String(e)
    throw new Unavailable(
      `Dawn, the package 'webgpu', could not be loaded: install it with npm install webgpu (${process.platform}-${process.arch}: ${why})`,
      "the package 'webgpu' is not installed, so no GPU was looked for",
      { cause: e },
    )
  }
}

/** Dawn's WebGPU. @throws Unavailable that says what to install */
export const openGpu = async (): Promise<GPU> => {
  const missing = missingHere()
  if (missing !== undefined) throw new Unavailable(`no GPU was found: ${missing}`, 'no GPU was found')
  opened ??= load()
  return opened
}
