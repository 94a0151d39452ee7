/** The devices whose accuracy is measured: every backend in each of its forms, with all passes of the compiler on. */
import type { Device } from '../../src/tensor/device.ts'
import { tensor } from '../../src/tensor/create.ts'
import { configurations, specification } from '../devices.ts'
import { webgpu } from '../webgpu.ts'
import { formats, type FloatType } from './ulp.ts'

/** An open device, and the dtypes that it computes in. */
export interface Measured {
  readonly name: string
  readonly device: Device
  readonly dtypes: ReadonlySet<FloatType>
}

/** Whether the device can add numbers of this dtype: one that lacks it says so by an error. */
const computesIn = async (device: Device, dtype: FloatType): Promise<boolean> => {
  try {
    await device.realize(tensor([1], { dtype }).add(1))
    return true
  } catch {
    return false
  }
}

/** Opens all devices. */
export const openMeasured = async (): Promise<readonly Measured[]> =>
  Promise.all(
    [specification, ...configurations.filter(({ name }) => !name.includes('without')), await webgpu()].map(
      async ({ name, open }) => {
        const device = open()
        const all = Object.keys(formats) as FloatType[]
        const present = await Promise.all(all.map(async (dtype) => computesIn(device, dtype)))
        return { name, device, dtypes: new Set(all.filter((_, i) => present[i])) }
      },
    ),
  )
