/** Which platform this runs on: Node or a page. */
import type { Platform } from './threads.ts'

/** A file of this folder that only Node can load: named by a value, so that neither the types nor a page's bundle follow it. */
const nodeFile: string = './threads.node.ts'

/** The platform that this runs on. */
export const findPlatform = async (): Promise<Platform> => {
  const { process } = globalThis as { readonly process?: { readonly versions?: { readonly node?: string } } }
  const found =
    process?.versions?.node === undefined ? await import('./threads.page.ts') : ((await import(nodeFile)) as unknown)
  return (found as { readonly platform: Platform }).platform
}
