/** WebGPU on Node: Dawn, in npm's package `webgpu`. */
import process from 'node:process'

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
    throw new Error(
      `Dawn, the package 'webgpu', could not be loaded: install it with npm install webgpu (${process.platform}-${process.arch}: ${why})`,
      { cause: e },
    )
  }
}

/** Dawn's WebGPU. @throws Error that says how to install the package */
export const openGpu = (): Promise<GPU> => {
  opened ??= load()
  return opened
}
