/** What machine this is. */
import { spawnSync } from 'node:child_process'
import { cpus, release, totalmem } from 'node:os'
import process from 'node:process'
import { findAdapter, openAdapter } from '../../src/backends/webgpu/adapter.ts'
import { findGpu } from '../../src/backends/webgpu/gpu.ts'
import type { GpuOptions } from './gpuDevice.ts'
import type { FactRow, Row } from './rows.ts'

/** Limits on which the speed or the size of what runs depends. */
const limits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupsPerDimension',
] as const satisfies readonly (keyof GPUSupportedLimits)[]

const fact = (name: string, value: FactRow['value']): FactRow => ({ kind: 'fact', side: 'fathom', name, value })

/** What a program of the system says, if it is there. */
const asked = (command: string, ...args: readonly string[]): string =>
  spawnSync(command, args, { encoding: 'utf8', timeout: 10_000 }).stdout?.trim() ?? ''

/** The facts of the adapter that would be opened. */
export const facts = async ({ software }: GpuOptions): Promise<readonly Row[]> => {
  const { adapter } = await findAdapter({ software })
  const { device, info, isSoftware, hasSubgroups } = await openAdapter({ software })
  const languages = (await findGpu()).wgslLanguageFeatures
  const rows = [
    fact(
      'adapter',
      [info.vendor, info.architecture, info.device, info.description].filter((x) => x !== ''),
    ),
    fact('is played by a program', isSoftware),
    fact('subgroups are used', hasSubgroups),
    fact('subgroup sizes', `${info.subgroupMinSize} to ${info.subgroupMaxSize}`),
    fact('features of the adapter', [...adapter.features].toSorted()),
    fact('features that are used', [...device.features].toSorted()),
    fact('features of WGSL', [...languages].toSorted()),
    ...limits.map((name) => fact(name, adapter.limits[name])),
    fact('node', process.version),
    fact('system', `${process.platform} ${process.arch} ${release()}`),
    fact('processor', `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`),
    fact('memory', totalmem()),
  ]
  device.destroy()
  const driver = asked(
    'nvidia-smi',
    '--query-gpu=name,driver_version,memory.total,clocks.max.sm',
    '--format=csv,noheader',
  )
  return driver === '' ? rows : [...rows, fact('nvidia-smi', driver)]
}
