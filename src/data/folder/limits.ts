/** How much of a picture is read and decoded at most: what a file claims must not decide. */

/** Upper bounds on what is read and decoded. */
export interface Limits {
  /** Pixels of one picture; 100 million unless told. */
  readonly maxPixels: number
  /** Bytes of one file; 1 GiB unless told. */
  readonly maxBytes: number
}

/** 100 megapixels hold every phone's photographs; 1 GiB holds 100 megapixels of 16-bit RGBA. */
export const defaultLimits: Limits = { maxPixels: 100_000_000, maxBytes: 2 ** 30 }
