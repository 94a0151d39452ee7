/** What a backend asks of kernels. */

/** Bounds that every kernel keeps to. */
export interface Limits {
  /** Buffers that a kernel reads and writes together: the bindings of a WebGPU shader, of which every adapter has eight and most have ten. */
  readonly buffers: number
}

/** For backends that have no bound of their own: wider kernels would hold more pointers than a processor has registers. */
export const usualLimits: Limits = { buffers: 16 }
