import type { Entry } from './entry.ts'
/** t */
export const layers: { readonly [name: string]: Entry } = {}
