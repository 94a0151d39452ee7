/** Where WebGPU comes from: a page's navigator, or Dawn's bindings for Node, which are an optional package. */

/** A file of this folder that only Node can load: named by a value, so that neither the types nor a page's bundle follow it. */
const nodeFile: string = './gpu.node.ts'

/** WebGPU as Node has it. */
export interface NodeGpu {
  readonly openGpu: () => Promise<GPU>
}

/** The WebGPU of this place. @throws Error that says what to do where there is none */
export const findGpu = async (): Promise<GPU> => {
  const { navigator, process } = globalThis as {
    readonly navigator?: { readonly gpu?: GPU }
    readonly process?: { readonly versions?: { readonly node?: string } }
  }
  if (navigator?.gpu !== undefined) return navigator.gpu
  if (process?.versions?.node === undefined)
    throw new Error('this browser has no WebGPU, or the page is neither https nor localhost, where it would have')
  return ((await import(nodeFile)) as NodeGpu).openGpu()
}
