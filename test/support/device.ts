/** Devices for tests: both forms of cpu, opened directly. */
import { deviceOn, type Device } from '../../src/tensor/device.ts'
import { cpuBackend } from '../../src/backends/cpu/backend.ts'
import type { Passes } from '../../src/compiler/passes.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'

/** The cpu device; fused unless told otherwise, and with all passes but those that are switched off. */
export const cpuDevice = ({
  fused = true,
  passes = {},
}: { readonly fused?: boolean; readonly passes?: Partial<Passes> } = {}): Device =>
  deviceOn(cpuBackend(fused), { passes })

/** Without the passes that put steps together: each kernel is one step, as the passes before have made it. */
export const stepByStep: Partial<Passes> = { rows: false, group: false }

/** Both forms of cpu with their names, for `describe.each`. */
export const cpuForms: readonly (readonly [name: string, open: () => Device])[] = [
  ['fused', () => cpuDevice({ fused: true })],
  ['primitive by primitive', () => cpuDevice({ fused: false })],
]

/** The elements of a tensor as plain numbers. */
export const values = async (x: Tensor, device: Device = cpuDevice()): Promise<number[]> =>
  Array.from(await device.read(x))
