/** Where WebGPU comes from: a page's navigator, or Dawn's bindings for Node, which are an optional package. */
import { Unavailable } from '../unavailable.ts'
import { wishIn, type Wish } from './wish.ts'

/** A file of this folder that only Node can load: named by a value, so that neither the types nor a page's bundle follow it. */
const nodeFile: string = './gpu.node.ts'

/** WebGPU as Node has it. */
export interface NodeGpu {
  readonly openGpu: () => Promise<GPU>
}

interface Surroundings {
  readonly navigator?: { readonly gpu?: GPU }
  readonly process?: {
    readonly versions?: { readonly node?: string }
    readonly env?: { readonly [name: string]: string | undefined }
  }
}

/** What the user of this process wants; a page has no such word. */
export const wishHere = (): Wish => wishIn((globalThis as Surroundings).process?.env ?? {})

/** The WebGPU of this place. @throws Unavailable that says what to do where there is none */
export const findGpu = async (): Promise<GPU> => {
  const { navigator, process } = globalThis as Surroundings
  if (navigator?.gpu !== undefined) return navigator.gpu
  if (process?.versions?.node === undefined)
    throw new Unavailable(
      'this browser has no WebGPU, or the page is neither https nor localhost, where it would have',
      'this browser has no WebGPU',
    )
  return ((await import(nodeFile)) as NodeGpu).openGpu()
}
