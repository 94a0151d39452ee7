import type { Entry } from './entry.ts'
/** t */
export const functions: { readonly [name: string]: Entry } = {}
