/** fathom's side of the comparison of kernels: for each line, a case and how often to run it, its seconds a run, and those of all its threads. */
import process from 'node:process'
import { createInterface } from 'node:readline'
import { conv2d, foldIn, grad, key, normal, open, type Tensor } from '../../src/index.ts'
import { E } from '../../src/prelude/fp.ts'
import { replayed, type Prepared } from '../subjects.ts'
import type { KernelCase } from './cases.ts'
import { prepareFunction } from './functions.ts'

const { device: name, threads } = JSON.parse(process.argv[2] ?? '') as {
  readonly device: string
  readonly threads: number
}
const opened = await open(name, { wasm: { threads, v8Flags: true } })()
if (E.isLeft(opened)) throw new Error(opened.left.message)
const device = opened.right

const draw = async (i: number, shape: readonly number[]): Promise<Tensor> =>
  device.realize(normal(foldIn(key(0), i), shape))

const conv = (x: Tensor, w: Tensor): Tensor => conv2d(x, w, { padding: 1 })

const prepare = async (c: KernelCase): Promise<Prepared> => {
  if (c.kind === 'gemm')
    return replayed(device, (x: Tensor, y: Tensor) => x.matmul(y), [
      await draw(0, [c.n, c.n]),
      await draw(1, [c.n, c.n]),
    ])
  if (c.kind === 'function') return prepareFunction(device, c, draw)
  const image = [c.batch, c.size, c.size, c.channels]
  const args = [await draw(0, image), await draw(1, [3, 3, c.channels, c.channels]), await draw(2, image)] as const
  const gradients = (x: Tensor, w: Tensor, y: Tensor) =>
    grad((p: { readonly x: Tensor; readonly w: Tensor }) => conv(p.x, p.w).mul(y).sum())({ x, w })
  return c.pass === 'forward' ? replayed(device, conv, [args[0], args[1]]) : replayed(device, gradients, [...args])
}

const prepared = new Map<string, Prepared>()

process.stdout.write(`${JSON.stringify({ about: `fathom on ${device.description}, Node ${process.version}` })}\n`)
for await (const line of createInterface({ input: process.stdin })) {
  const { case: c, times } = JSON.parse(line) as { readonly case: KernelCase; readonly times: number }
  const id = JSON.stringify(c)
  const ready = prepared.get(id) ?? (await prepare(c))
  prepared.set(id, ready)
  const [start, before] = [performance.now(), process.cpuUsage()]
  for (let i = 0; i < times; i++) await ready.run()
  const { user, system } = process.cpuUsage(before)
  const seconds = (performance.now() - start) / 1000 / times
  process.stdout.write(`${JSON.stringify({ seconds, cpu: (user + system) / 1e6 / times })}\n`)
}
await device.close()
