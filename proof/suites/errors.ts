/** Wrong uses: the documented error, of the same class and with the same text however the graph is built. */
import { vjp } from '../../src/autograd/grad.ts'
import type { DType } from '../../src/graph/dtype.ts'
import { tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { count } from '../array.ts'
import type { Misuse } from '../registry/entry.ts'
import { everywhere, type Suite } from './suite.ts'

/** Zeros of a type written as `f32[2,3]`. */
const dataOfType = (type: string): Tensor => {
  const match = /^(f16|f32|f64|i32|u32|u8|bool)\[([\d,]*)\]$/.exec(type)
  if (match === null) throw new Error(`'${type}' is not a type such as f32[2,3]`)
  const shape = (match[2] ?? '').split(',').filter(Boolean).map(Number)
  return tensor(
    Array.from({ length: count(shape) }, () => 0),
    { shape, dtype: match[1] as DType },
  )
}

const thrownBy = async (run: () => unknown): Promise<string> => {
  try {
    await run()
  } catch (e) {
    return e instanceof Error ? `${e.name}: ${e.message}` : String(e)
  }
  return 'nothing'
}

const expectError = (how: string, { error, message }: Misuse, thrown: string): void => {
  if (!thrown.startsWith(`${error}: `) || !message.test(thrown.slice(error.length + 2)))
    throw new Error(`${how}: expected ${error} ${String(message)}, got ${thrown}`)
}

/** Each wrong use, built directly, under vjp, and in a function compiled on each configuration. One check for each of these. */
export const errors: Suite = async (subject, entry, { seed }) => {
  let checks = 0
  const devices = everywhere.map(({ name, open }) => [name, open()] as const)
  for (const misuse of entry.errors) {
    const inputs = misuse.inputs.map(dataOfType)
    const ways: readonly (readonly [string, () => unknown])[] = [
      ['directly', () => misuse.build(...inputs)],
      ['under vjp', () => vjp(misuse.build, ...inputs)],
      ...devices.map(([name, device]) => [name, async () => device.compile(misuse.build)(...inputs)] as const),
    ]
    for (const [how, run] of ways) {
      expectError(`errors of ${subject}, ${how}`, misuse, await thrownBy(run))
      checks++
    }
  }
  for (const [, device] of devices) await device.close()
  return { suite: 'errors', subject, seed, checks, worst: 0 }
}
