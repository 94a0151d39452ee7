/** What kernels are written for: the part of a device on which their form depends. */
import type { Opened } from './adapter.ts'

/** A device as kernels see it. */
export interface Target {
  /**
   * Whether a program on the processor plays the GPU. There a workgroup's invocations run one after the other, and each barrier saves and restores
   * all of them (0.17 µs each), so kernels have none.
   */
  readonly software: boolean
  /** Whether the invocations of a subgroup may add up their values without memory. */
  readonly subgroups: boolean
  /** The most invocations of a workgroup: at least 256 on every device. */
  readonly invocations: number
  /** Bytes of memory that a workgroup shares: at least 16,384 on every device. */
  readonly workgroupBytes: number
  /**
   * Chooses the form of a contraction, by name, as it was measured to be the fastest here; undefined where nothing was measured.
   *
   * @param shapeClass what its speed depends on
   * @param forms the names of those that are possible, the best guess first
   */
  readonly choose?: (shapeClass: string, forms: readonly string[]) => string | undefined
}

/** What kernels for a device are written for. */
export const targetOf = ({
  device,
  isSoftware,
  hasSubgroups,
}: Pick<Opened, 'device' | 'isSoftware' | 'hasSubgroups'>): Target => ({
  software: isSoftware,
  subgroups: hasSubgroups,
  invocations: device.limits.maxComputeInvocationsPerWorkgroup,
  workgroupBytes: device.limits.maxComputeWorkgroupStorageSize,
})
