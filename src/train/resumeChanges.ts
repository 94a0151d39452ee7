/** What may be changed of a run that goes on. */

/** Each change is written into the run's configuration. */
export interface ResumeChanges {
  /** Steps in all; more than are done. */
  readonly steps?: number
  /** Where the run's pictures lie now. */
  readonly folder?: string
  /** The device to go on with, where the run's own is not there; its numbers are then others in their last bits. */
  readonly device?: string
}
