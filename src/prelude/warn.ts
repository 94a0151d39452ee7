/** What people should know although nothing fails: on the console, unless whoever opens a device takes it elsewhere. */

/** Prints a warning. */
export const warn = (message: string): void => {
  console.warn(`fathom: ${message}`)
}
