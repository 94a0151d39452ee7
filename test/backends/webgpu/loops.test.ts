/** Loops on a GPU: turns as dispatches whose addresses advance, in one memory and in memory apart. */
import { useSwiftShader } from '../../../proof/webgpu.ts'
import { openAdapter } from '../../../src/backends/webgpu/adapter.ts'
import { backendOver } from '../../../src/backends/webgpu/backend.ts'
import { deviceOn } from '../../../src/tensor/device.ts'
import { describeLoops } from '../../support/loopSuite.ts'

useSwiftShader()
const backend = backendOver(await openAdapter({ software: true }))
const apart = backendOver(await openAdapter({ software: true, limits: 'least' }), { apart: true })
const lasting = { close: (): Promise<void> => Promise.resolve() }

describeLoops([
  ['webgpu', () => deviceOn({ ...backend, ...lasting }), 2 ** -12],
  ['webgpu, memory apart', () => deviceOn({ ...apart, ...lasting }), 2 ** -12],
])
