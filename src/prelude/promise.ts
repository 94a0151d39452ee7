/** Promises that arrive where values are expected. */

/** Whether it is to be awaited. */
export const isPromise = (x: unknown): boolean =>
  typeof x === 'object' && x !== null && 'then' in x && typeof x.then === 'function'

/** Leaves a promise that nobody will await: what fails in it follows from the error that is thrown instead, and must not end the process. */
export const abandon = (promise: unknown): void => {
  void Promise.resolve(promise).catch(() => undefined)
}
