/** Flags of the WebGPU standard as numbers, for Node has no globals of their names. */

/** What a buffer is used for. */
export const usage = {
  mapRead: 0x0001,
  copySource: 0x0004,
  copyTarget: 0x0008,
  uniform: 0x0040,
  storage: 0x0080,
  queryResolve: 0x0200,
} as const

/** Compute shaders, among the stages. */
export const computeStage = 0x4

/** Mapped to be read. */
export const mapForReading = 0x1
