/**
 * How fast the cpu backend is: matrix products, the three passes of convolutions, and a whole training gradient of a small U-Net.
 *
 * `npm run bench` prints the best of several runs in GFLOP/s, with the plan's own count of operations. Timings of a busy machine say
 * little; compare figures of one run.
 */
import process from 'node:process'
import {
  conv2d,
  flopsOf,
  foldIn,
  key,
  normal,
  open,
  valueAndGrad,
  type Compiled,
  type Device,
  type Tensor,
} from '../src/index.ts'
import { unet } from '../src/models/index.ts'
import { E } from '../src/prelude/fp.ts'

const rounds = 5

/** The shortest of several runs, in milliseconds. */
const fastest = async (run: () => Promise<unknown>): Promise<number> => {
  const times: number[] = []
  for (let i = 0; i < rounds + 2; i++) {
    const start = performance.now()
    await run()
    if (i >= 2) times.push(performance.now() - start) // the first two runs are V8's to warm up
  }
  return Math.min(...times)
}

const report = async <A extends readonly unknown[], R>(name: string, fn: Compiled<A, R>, ...args: A): Promise<void> => {
  const milliseconds = await fastest(async () => fn(...args))
  const flops = flopsOf(fn.plan(...args))
  process.stdout.write(
    `${name.padEnd(44)}${milliseconds.toFixed(1).padStart(9)} ms${(flops / milliseconds / 1e6).toFixed(2).padStart(8)} GFLOP/s\n`,
  )
}

const bench = async (device: Device): Promise<void> => {
  const draw = async (i: number, shape: readonly number[]): Promise<Tensor> =>
    device.realize(normal(foldIn(key(0), i), shape))
  for (const n of [64, 256]) {
    await report(
      `matmul ${n}×${n}`,
      device.compile((x: Tensor, y: Tensor) => x.matmul(y)),
      await draw(0, [n, n]),
      await draw(1, [n, n]),
    )
  }
  for (const [size, channels] of [
    [16, 16],
    [16, 64],
    [8, 128],
  ] as const) {
    const [x, w] = [await draw(2, [8, size, size, channels]), await draw(3, [3, 3, channels, channels])]
    const name = `conv 3×3 [8, ${size}, ${size}, ${channels}]`
    await report(
      name,
      device.compile((a: Tensor, b: Tensor) => conv2d(a, b, { padding: 1 })),
      x,
      w,
    )
    const passes = (p: { x: Tensor; w: Tensor }): Tensor => conv2d(p.x, p.w, { padding: 1 }).square().sum()
    await report(`${name}, three passes`, device.compile(valueAndGrad(passes)), { x, w })
  }
  const model = unet({ channels: 3, width: 16, multipliers: [1, 2], heads: 2, headWidth: 8 })
  const params = await device.realize(model.init(key(0)))
  const loss = (p: typeof params, x: Tensor, t: Tensor): Tensor => model.apply(p, { x, t }).square().mean()
  await report(
    'U-Net 16×16, width 16, batch 16, gradient',
    device.compile(valueAndGrad(loss)),
    params,
    await draw(4, [16, 16, 16, 3]),
    await draw(5, [16]),
  )
}

const opened = await open('cpu')()
if (E.isLeft(opened)) throw new Error(opened.left.message)
await bench(opened.right)
