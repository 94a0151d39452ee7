/** What is told of the cache. It stands apart from what decodes: whoever reads these types needs no decoder's. */

/** What became of the cache. */
export interface CacheReport {
  /** The pack's folder. */
  readonly path: string
  /**
   * `created`: there was none. `reused`: found and verified. `completed`: found, and what could not be read the last
   * time was decoded now. `rebuilt`: found, but not to be used.
   */
  readonly state: 'created' | 'reused' | 'completed' | 'rebuilt'
  /** Why it was completed or rebuilt. */
  readonly why?: string
}
