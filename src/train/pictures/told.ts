/** What is told while pictures are prepared, for what takes more than a moment. */

/** Compared with one another, to find near-duplicates; or encoded by an autoencoder. */
export type Preparation = 'compared' | 'encoded'

/** Is told what share of the pictures is done, from 0 to 1. */
export type Told = (what: Preparation, share: number) => void
