/** Every way to run a program here: backends that are present, their forms, and the compiler with each pass switched off. */
import type { Backend } from '../src/backends/backend.ts'
import { cpuBackend } from '../src/backends/cpu/backend.ts'
import type { Passes } from '../src/compiler/passes.ts'
import { openWasm, wasmBackend } from '../src/backends/wasm/whole.ts'
import { deviceOn, type Device, type DeviceHabits } from '../src/tensor/device.ts'
import type { Tolerance } from './fuzz/compare.ts'

/** A way to run programs. */
export interface Configuration {
  readonly name: string
  readonly open: () => Device
  /** Errors that it may make; absent where it gives the specification's bits. */
  readonly tolerance?: Tolerance
}

/** A device that does not warn of a function with many plans: cases have many shapes. */
const quiet = (backend: Backend, passes: DeviceHabits['passes'] = {}): Device =>
  deviceOn(backend, { passes, onWarning: () => undefined })

/** `cpu` one primitive at a time: what every other configuration is held to. */
export const specification: Configuration = {
  name: 'cpu, one primitive at a time',
  open: () => quiet(cpuBackend(false)),
}

const passNames: readonly (keyof Passes)[] = [
  'rewrite',
  'merge',
  'fuse',
  'recompute',
  'epilogue',
  'join',
  'rows',
  'group',
  'reuse',
]

/**
 * Sums in another order, and functions of f32 that are not rounded from f64: some units in the last place, times what a program of tens of
 * operations makes of them. f64 is computed as on cpu.
 */
const wasmTolerance: Tolerance = { f16: 2 ** -8, f32: 2 ** -13, f64: 2 ** -40 }

const noPasses: Passes = {
  rewrite: false,
  merge: false,
  fuse: false,
  recompute: false,
  epilogue: false,
  join: false,
  rows: false,
  group: false,
  reuse: false,
}

/** Kernels as WebAssembly, on one thread. */
export const wasm: Configuration = { name: 'wasm', open: () => quiet(wasmBackend()), tolerance: wasmTolerance }

/** Three threads, which share even the smallest phases; their backend serves every device, for workers take a while to start. */
const shared = await openWasm({ threads: 3, sharing: 'all', v8Flags: process.env['FATHOM_V8_FLAGS'] === '1' })

/** Kernels as WebAssembly on three threads, with fused multiply-add where the machine has it; FATHOM_V8_FLAGS=1 sets V8's flags. */
const threaded: Configuration = {
  name: 'wasm, three threads',
  open: () => quiet({ ...shared, close: () => Promise.resolve() }),
  tolerance: wasmTolerance,
}

/** All others. */
export const configurations: readonly Configuration[] = [
  { name: 'cpu, fused', open: () => quiet(cpuBackend(true)) },
  ...passNames.map((pass) => ({
    name: `cpu, fused, without ${pass}`,
    open: () => quiet(cpuBackend(true), { [pass]: false }),
  })),
  {
    name: 'cpu, fused, without any pass',
    open: () => quiet(cpuBackend(true), noPasses),
  },
  wasm,
  threaded,
]
