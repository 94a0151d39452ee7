/** The adapters of a machine as data, for people who ask what there is. */
import { anyAdapter, type Found } from './adapter.ts'

/** An adapter. */
export interface AdapterReport {
  /** The preferences that lead to it. */
  readonly power: readonly GPUPowerPreference[]
  readonly vendor: string
  readonly architecture: string
  readonly device: string
  readonly description: string
  /** Whether it is a program on the processor. */
  readonly software: boolean
  readonly features: readonly string[]
  /** Of what kernels use. */
  readonly limits: { readonly [name: string]: number }
}

const limitNames = [
  'maxStorageBuffersPerShaderStage',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupsPerDimension',
] as const satisfies readonly (keyof GPUSupportedLimits)[]

const reportOf = ({ adapter, info, isSoftware }: Found, power: GPUPowerPreference): AdapterReport => ({
  power: [power],
  vendor: info.vendor,
  architecture: info.architecture,
  device: info.device,
  description: info.description,
  software: isSoftware,
  features: [...adapter.features].toSorted(),
  limits: Object.fromEntries(limitNames.map((name) => [name, adapter.limits[name]])),
})

const sameBut = (a: AdapterReport, b: AdapterReport): boolean =>
  JSON.stringify({ ...a, power: [] }) === JSON.stringify({ ...b, power: [] })

/** The adapters that power preferences lead to: one where both lead to the same, none where there is none. */
export const adaptersHere = async (): Promise<readonly AdapterReport[]> => {
  const powers = ['high-performance', 'low-power'] as const
  const found: AdapterReport[] = []
  for (const power of powers) {
    const adapter = await anyAdapter(power)
    const report = adapter && reportOf(adapter, power)
    const [first] = found
    if (report === undefined) continue
    if (first !== undefined && sameBut(first, report)) found[0] = { ...first, power: [...first.power, power] }
    else found.push(report)
  }
  return found
}
