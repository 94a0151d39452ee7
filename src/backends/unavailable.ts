/** A device that a machine does not have. That is no fault: who has named none is given another, and a few words that say why. */

/** Thrown where a device is not there, or not wanted. The message says what to do. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable'
  /** Why, in a few words, for those who did not ask for this device. */
  readonly brief: string

  constructor(message: string, brief: string, options?: ErrorOptions) {
    super(message, options)
    this.brief = brief
  }
}
