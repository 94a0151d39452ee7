/**
 * The passes of the compiler by name. None of them changes a bit of any result; each can be switched off, so that this can be proven and
 * a suspect be found.
 */

/** Which passes run. */
export interface Passes {
  /** Simpler nodes in the place of others with the same bits: canonicalise.ts, halves.ts. */
  readonly rewrite: boolean
  /** Common subexpressions become one node: canonicalise.ts. */
  readonly merge: boolean
  /** Elementwise nodes are computed inside the kernels that use them: fuse.ts. */
  readonly fuse: boolean
  /** Fused values that are cheap are computed again by each kernel that needs them: recompute.ts. */
  readonly recompute: boolean
  /** Elementwise kernels end the contraction whose result they read: epilogue.ts. */
  readonly epilogue: boolean
  /** Elementwise kernels that share operands become one with several results: join.ts. */
  readonly join: boolean
  /** Elementwise kernels and reductions over the same rows become one: rows.ts. */
  readonly rows: boolean
  /** Kernels of one structure that do not need each other become one: group.ts. */
  readonly group: boolean
  /** Temporaries whose lives do not meet share memory: arena.ts. */
  readonly reuse: boolean
}

/** The compiler as it is used. */
export const allPasses: Passes = {
  rewrite: true,
  merge: true,
  fuse: true,
  recompute: true,
  epilogue: true,
  join: true,
  rows: true,
  group: true,
  reuse: true,
}
