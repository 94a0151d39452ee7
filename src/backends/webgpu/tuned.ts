/** The place where what was measured of GPUs is kept between programs: a file of the user's cache on Node, and nothing in a page. */
import type { Forms } from './tuning.ts'

/** What is kept of one GPU. */
export interface TunedStore {
  readonly load: () => Promise<Forms>
  readonly save: (forms: Forms) => Promise<void>
  /** Forgets all. */
  readonly forget: () => Promise<void>
  /** The place, in words. */
  readonly where: string
}

/** A file of this folder that only Node can load: named by a value, so that neither the types nor a page's bundle follow it. */
const nodeFile: string = './tuned.node.ts'

interface NodeFile {
  readonly fileStore: (gpu: string) => TunedStore
}

/** Keeps nothing. */
const nowhere: TunedStore = {
  load: () => Promise.resolve({}),
  save: () => Promise.resolve(),
  forget: () => Promise.resolve(),
  where: 'nowhere',
}

/** Whether what is measured can be kept: a page would measure again at each visit. */
export const keepsFiles = (): boolean => {
  const { process } = globalThis as { readonly process?: { readonly versions?: { readonly node?: string } } }
  return process?.versions?.node !== undefined
}

/** The store of a GPU. @param gpu its name, with all on which its speed depends */
export const tunedStore = async (gpu: string): Promise<TunedStore> =>
  keepsFiles() ? ((await import(nodeFile)) as NodeFile).fileStore(gpu) : nowhere
