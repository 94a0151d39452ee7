/** What a user wants of the GPU, whatever a program asks for: a word in the environment of the process. */

/** `any`: a real GPU where there is one. `software`: one that is played on the processor will do, as tests want it. `none`: no GPU is taken. */
export type Wish = 'any' | 'software' | 'none'

const wishes: { readonly [value: string]: Wish } = { '': 'any', software: 'software', '0': 'none' }

/** The name of the variable. */
export const wishVariable = 'FATHOM_WEBGPU'

/** The wish in an environment. @throws Error where the variable has a value that it does not have */
export const wishIn = (environment: { readonly [name: string]: string | undefined }): Wish => {
  const value = environment[wishVariable] ?? ''
  const wish = Object.hasOwn(wishes, value) ? wishes[value] : undefined
  if (wish === undefined)
    throw new Error(
      `the environment variable ${wishVariable} is '${value}', and may be 0 (no GPU is taken), software (a GPU that is played on the processor will do), or absent`,
    )
  return wish
}
