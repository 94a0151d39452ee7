/** TensorFlow.js as a peer: its wasm backend (XNNPACK), which has one thread on Node, and no gradient of a convolution's filter. */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-wasm'
import { answer } from './answer.mjs'

await tf.setBackend('wasm')
await tf.ready()

await answer(`TensorFlow.js ${tf.version_core} on wasm`, (c) => {
  if (c.kind === 'function') throw new Error('it is compared with PyTorch alone')
  if (c.kind === 'gemm') {
    const [x, y] = [tf.randomNormal([c.n, c.n]), tf.randomNormal([c.n, c.n])]
    return () => tf.matMul(x, y).dispose()
  }
  const image = [c.batch, c.size, c.size, c.channels]
  const [x, w, y] = [tf.randomNormal(image), tf.randomNormal([3, 3, c.channels, c.channels]), tf.randomNormal(image)]
  if (c.pass === 'forward') return () => tf.conv2d(x, w, 1, 'same').dispose()
  const gradients = tf.grads((x, w) => tf.conv2d(x, w, 1, 'same'))
  return () => gradients([x, w], y).forEach((g) => g.dispose())
})
