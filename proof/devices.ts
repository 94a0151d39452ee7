/** Every way to run a program here: backends that are present, their forms, and the compiler with each pass switched off. */
import { cpuBackend } from '../src/backends/cpu/backend.ts'
import { allPasses, type Passes } from '../src/compiler/passes.ts'
import { deviceOn, type Device } from '../src/tensor/device.ts'

/** A way to run programs. */
export interface Configuration {
  readonly name: string
  readonly open: () => Device
}

/** `cpu` one primitive at a time: what every other configuration is held to. */
export const specification: Configuration = {
  name: 'cpu, one primitive at a time',
  open: () => deviceOn(cpuBackend(false)),
}

const passNames: readonly (keyof Passes)[] = ['rewrite', 'merge', 'fuse', 'recompute', 'reuse']

/** All others. */
export const configurations: readonly Configuration[] = [
  { name: 'cpu, fused', open: () => deviceOn(cpuBackend(true)) },
  ...passNames.map((pass) => ({
    name: `cpu, fused, without ${pass}`,
    open: () => deviceOn(cpuBackend(true), { ...allPasses, [pass]: false }),
  })),
  {
    name: 'cpu, fused, without any pass',
    open: () =>
      deviceOn(cpuBackend(true), { rewrite: false, merge: false, fuse: false, recompute: false, reuse: false }),
  },
]
