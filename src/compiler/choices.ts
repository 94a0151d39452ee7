/**
 * What a backend chose for a kernel, by words of its own: which code, which tiles, in how many parts. It is there to be read, and programs do not
 * depend on it.
 */
export type KernelChoices = { readonly [what: string]: string | number }

/** `tile 6×16, parts 4`. */
export const showChoices = (choices: KernelChoices): string =>
  Object.entries(choices)
    .map(([what, chosen]) => `${what} ${chosen}`)
    .join(', ')
