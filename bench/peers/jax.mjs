/** jax-js as a peer: its wasm device, with jit. It has NCHW convolutions. */
import { grad, init, defaultDevice, jit, lax, numpy as np } from '@jax-js/jax'
import { answer, numbers } from './answer.mjs'

await init('wasm')
defaultDevice('wasm')

const draw = async (shape) =>
  np
    .array(numbers(shape.reduce((a, b) => a * b)))
    .reshape(shape)
    .blockUntilReady()

/** Runs a function of arrays that stay; results are waited for and given back. */
const running = (fn, arrays) => async () => {
  const result = fn(...arrays.map((x) => x.ref))
  for (const x of Array.isArray(result) ? result : [result]) {
    await x.blockUntilReady()
    x.dispose()
  }
}

const conv = (x, w) => lax.convGeneralDilated(x, w, [1, 1], 'SAME')

await answer('jax-js 0.1.25 on wasm', async (c) => {
  if (c.kind === 'function') throw new Error('it is compared with PyTorch alone')
  if (c.kind === 'gemm') return running(jit(np.matmul), [await draw([c.n, c.n]), await draw([c.n, c.n])])
  const image = [c.batch, c.channels, c.size, c.size]
  const [x, w, y] = [await draw(image), await draw([c.channels, c.channels, 3, 3]), await draw(image)]
  if (c.pass === 'forward') return running(jit(conv), [x, w])
  const loss = (x, w, y) => np.sum(conv(x, w).mul(y))
  return running(jit(grad(loss, { argnums: [0, 1] })), [x, w, y])
})
