/** Whether an autoencoder is worth the name, said before something is trained on its latents for hours. */
import type { TrainingData } from '../../../data/batches.ts'
import type { Device } from '../../../tensor/device.ts'
import { eachPicture, heldOutOf, linearPsnrOf, qualityOf } from './reconstructing.ts'
import type { TrainedAutoencoder } from './trainedAutoencoder.ts'

/** Held-out pictures that are looked at, at most: enough to tell a good code from a bad one, and a matter of seconds. */
const most = 16

/**
 * A sentence for the user where an autoencoder keeps less of the held-out pictures than the best linear code with as many numbers does: then what is
 * drawn from its latents cannot be good, however long a model is trained on them. Undefined where it keeps more.
 */
export const keepsLess = async (
  device: Device,
  pictures: TrainingData,
  {
    factor,
    latentChannels,
    encoderOn,
    decoderOn,
  }: Pick<TrainedAutoencoder, 'factor' | 'latentChannels' | 'encoderOn' | 'decoderOn'>,
): Promise<string | undefined> => {
  const some = { ...pictures, heldOutCount: Math.min(most, pictures.heldOutCount) }
  const [encode, decode] = [encoderOn(device), decoderOn(device)]
  const heldOut = heldOutOf(some)
  const made = await eachPicture(device, some, heldOut, async (batch) => decode(await encode(batch)))
  const [kept, linear] = [qualityOf(some, heldOut, made).psnr, linearPsnrOf(some, factor, latentChannels)]
  return kept >= linear
    ? undefined
    : `the autoencoder keeps less of these pictures (${kept.toFixed(1)} dB on ${heldOut.length} held out) than a linear code with as many numbers would (${linear.toFixed(1)} dB), and what is drawn from its latents can be no better: train it longer, or on pictures like these (fathom train-vae)`
}
