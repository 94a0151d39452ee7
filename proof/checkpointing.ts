/**
 * Checkpoints against the bare network: the arena of a U-Net's gradient with every residual block and attention layer computed again in the backward pass, and
 * without; and both gradients, bit for bit.
 */
import { valueAndGrad } from '../src/autograd/index.ts'
import { unet, type UnetParams } from '../src/models/index.ts'
import { mse } from '../src/nn/index.ts'
import { tensor } from '../src/tensor/create.ts'
import type { Compiled } from '../src/tensor/compiled.ts'
import type { Device } from '../src/tensor/device.ts'
import { key, normal } from '../src/tensor/random.ts'
import type { Tensor } from '../src/tensor/tensor.ts'
import { leavesWithPaths } from '../src/tensor/tree.ts'

/** The U-Net of this proof: width 32, three stages, images of 32×32. */
const proofUnet = { width: 32, multipliers: [1, 2, 4] } as const

interface Images {
  readonly x: Tensor
  readonly t: Tensor
}

type Step = Compiled<[UnetParams, Images], readonly [Tensor, UnetParams]>

const imagesOf = (batch: number): Images => ({
  x: normal(key(2), [batch, 32, 32, 3]),
  t: tensor(Int32Array.from({ length: batch }, (_, i) => (i * 61) % 1000)),
})

const stepOf = (device: Device, checkpoint: boolean): Step => {
  const model = unet({ ...proofUnet, checkpoint })
  return device.compile((params: UnetParams, images: Images) =>
    valueAndGrad((p: UnetParams) => mse(model.apply(p, images), images.x))(params),
  )
}

/** Bytes of the planned arena of value and gradient, without and with checkpoints. */
export const arenas = (device: Device, batch: number): { readonly plain: number; readonly checkpointed: number } => {
  const params = unet(proofUnet).init(key(1))
  const bytes = (checkpoint: boolean): number => stepOf(device, checkpoint).plan(params, imagesOf(batch)).arenaBytes
  return { plain: bytes(false), checkpointed: bytes(true) }
}

/** Runs both steps; the paths of the leaves that differ in any bit, and how many leaves there are. */
export const differingLeaves = async (
  device: Device,
  batch: number,
): Promise<{ readonly leaves: number; readonly differing: readonly string[] }> => {
  const params = await device.realize(unet(proofUnet).init(key(1)))
  const images = await device.realize(imagesOf(batch))
  const bits = async (checkpoint: boolean): Promise<readonly (readonly [string, string])[]> => {
    const result = await stepOf(device, checkpoint)(params, images)
    return Promise.all(
      leavesWithPaths(result).map(async ([path, x]) => {
        const { buffer, byteOffset, byteLength } = await device.read(x)
        return [path, Buffer.from(buffer, byteOffset, byteLength).toString('base64')] as const
      }),
    )
  }
  const plain = await bits(false)
  const checkpointed = new Map(await bits(true))
  return {
    leaves: plain.length,
    differing: plain.filter(([path, values]) => checkpointed.get(path) !== values).map(([path]) => path),
  }
}
