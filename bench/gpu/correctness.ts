/** Whether the GPU computes what it should: kernels of every family, contractions in every form, and random numbers. */
import { disagreements } from '../../src/backends/selfTest.ts'
import { cpuBackend } from '../../src/backends/cpu/backend.ts'
import { openWebgpu } from '../../src/backends/webgpu/backend.ts'
import { alone, type Generated } from '../../src/backends/webgpu/phase.ts'
import { inForm } from '../../src/backends/webgpu/contraction/contract.ts'
import { extentsOf } from '../../src/backends/webgpu/contraction/axes.ts'
import { formsOf, nameOfForm, shapeClassOf, type Form } from '../../src/backends/webgpu/contraction/forms.ts'
import { plainConv, plainGemm } from '../../src/backends/webgpu/contraction/plain.ts'
import { targetOf, type Target } from '../../src/backends/webgpu/target.ts'
import {
  bareContraction,
  largestDifference,
  noise,
  numbersOf,
  subjectsOf,
  timeOf,
  toleranceOf,
  unwritten,
  type Bench,
  type Memories,
  type Subject,
} from '../../src/backends/webgpu/tuning.ts'
import type { Plan } from '../../src/compiler/plan.ts'
import {
  conv2d,
  grad,
  key,
  normal,
  permutation,
  randint,
  uniform,
  zeros,
  type DType,
  type Tensor,
} from '../../src/index.ts'
import { at, product } from '../../src/prelude/array.ts'
import { bytesPerElement } from '../../src/graph/dtype.ts'
import { deviceOn } from '../../src/tensor/device.ts'
import { convName, gemmName, type Cases } from './cases.ts'
import { openGpuDevice, openWithTuner, type GpuOptions } from './gpuDevice.ts'
import { failure, type CheckRow, type Row, type TimeRow } from './rows.ts'

type Say = (row: Row) => void

const check = (name: string, ok: boolean, more: Partial<CheckRow> = {}): CheckRow => ({
  kind: 'check',
  side: 'fathom',
  name,
  ok,
  ...more,
})

/** Kernels of each family on small inputs, in the forms that are guessed: against `cpu`. */
export const families = async ({ software }: GpuOptions, say: Say): Promise<void> => {
  const gpu = await openWebgpu({ software, tune: false })
  const wrong = await disagreements(gpu, cpuBackend(true))
  say(check('kernels of every family, against cpu', wrong.length === 0, { detail: wrong.join('; ') }))
  await gpu.close()
}

/** Random numbers, whose bits are those of every other device. */
export const randomBits = async ({ software }: GpuOptions, say: Say): Promise<void> => {
  const draws: Readonly<Record<string, () => Tensor>> = {
    uniform: () => uniform(key(1), [100_000]),
    normal: () => normal(key(2), [100_000]),
    randint: () => randint(key(3), [100_000], 0, 1000),
    permutation: () => permutation(key(4), 2000),
  }
  const { device } = await openGpuDevice({ software })
  const cpu = deviceOn(cpuBackend(true))
  for (const [name, draw] of Object.entries(draws)) {
    const [ours, theirs] = [await device.read(draw()), await cpu.read(draw())]
    const differing = Array.from(theirs).filter((x, i) => !Object.is(x, ours[i])).length
    say(
      check(`random numbers: ${name}, bit for bit`, differing === 0, {
        detail: `${differing} of ${theirs.length} differ`,
      }),
    )
  }
  await device.close()
}

/** What a form of a contraction did. */
const formRows = (
  name: string,
  form: string,
  { error, tolerance }: { readonly error: number; readonly tolerance: number },
  { precision, ms, flops }: { readonly precision: string; readonly ms: number; readonly flops: number },
): readonly [CheckRow, TimeRow] => [
  check(`${name}, ${precision}, in the form ${form}`, error <= tolerance, { error, tolerance }),
  {
    kind: 'time',
    side: 'fathom',
    name,
    precision,
    mode: `form ${form}`,
    ms,
    gpuMs: ms,
    spread: 0,
    runs: 3,
    gflops: flops / ms / 1e6,
  },
]

/** Whether there is anything but zeros, with which everything that writes nothing would agree. */
const holdsNumbers = (values: ArrayLike<number>): boolean => {
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) return true
  return false
}

/** Runs a program of a plan's one kernel: the milliseconds of the fastest run. */
const timed = async (
  { program }: Bench,
  plan: Plan,
  code: Generated,
  memories: Memories,
  runs: number,
): Promise<number> => {
  const made = program(plan, code)
  try {
    await made.ready
    return await timeOf(made, memories, runs)
  } finally {
    made.release()
  }
}

/** Every form of a contraction, against one result an invocation. */
const everyForm = async (
  { plan: given, name, precision }: { readonly plan: Plan; readonly name: string; readonly precision: string },
  { kernel: original, contraction }: Subject,
  target: Target,
  { bench, say }: { readonly bench: Bench; readonly say: Say },
): Promise<void> => {
  const { plan, kernel } = bareContraction(given, original)
  const output = at(plan.buffers, plan.buffers.length - 1)
  const inputs = plan.arguments.map(({ dtype, shape }) => bench.allocate(product(shape) * bytesPerElement[dtype]))
  const memories = { inputs, output: bench.allocate(output.length * bytesPerElement[output.dtype]) }
  inputs.forEach((memory, i) => {
    bench.write(memory, noise(at(plan.buffers, i)))
  })
  const plain = alone(kernel.kind === 'gemm' ? plainGemm(kernel) : plainConv(kernel))
  await timed(bench, plan, plain, memories, 1)
  const expected = numbersOf(output, await bench.read(memories.output))
  if (!holdsNumbers(expected)) throw new Error(`${name}: the plain form gave nothing but zeros`)
  const { batch, rows, columns, depth } = extentsOf(contraction)
  const count = batch * rows * columns
  const inOne = async (form: Form): Promise<void> => {
    bench.write(memories.output, unwritten(output))
    const ms = await timed(bench, plan, inForm(kernel, contraction, form), memories, 3)
    const error = largestDifference(numbersOf(output, await bench.read(memories.output)), expected, count)
    const [checked, row] = formRows(
      name,
      nameOfForm(form),
      { error: Number.isFinite(error) ? error : 1e9, tolerance: toleranceOf(output.dtype, depth) },
      { precision, ms, flops: 2 * count * depth },
    )
    say(checked)
    if (checked.ok) say(row)
  }
  for (const form of formsOf(contraction, target))
    try {
      await inOne(form)
    } catch (e) {
      say(failure(`${name}, ${precision}, in the form ${nameOfForm(form)}`, e))
      throw e // what the GPU has refused once leaves nothing that can be relied on
    }
  for (const memory of [...inputs, memories.output]) bench.release(memory)
}

/** A program that plays a GPU is given the forms of a small real one, for it has none to choose of. */
const pretended: Target = { software: false, subgroups: false, invocations: 256, workgroupBytes: 16_384 }

/** A contraction as a function of its operands. */
interface Contraction {
  readonly name: string
  readonly shapes: readonly (readonly number[])[]
  readonly of: (x: Tensor, y: Tensor) => Tensor
}

const contractions = ({ formedGemms, convs }: Cases): readonly Contraction[] => [
  ...formedGemms.map((n): Contraction => ({
    name: gemmName(n),
    shapes: [
      [n, n],
      [n, n],
    ],
    of: (x, y) => x.matmul(y),
  })),
  ...convs.flatMap((c): readonly Contraction[] => {
    const [image, filter] = [
      [c.batch, c.size, c.size, c.channels],
      [3, 3, c.channels, c.channels],
    ]
    const forward = (x: Tensor, w: Tensor): Tensor => conv2d(x, w, { padding: 1 })
    return [
      { name: convName(c, 'forward'), shapes: [image, filter], of: forward },
      {
        name: convName(c, 'filter gradient'),
        shapes: [image, image],
        of: (x, y) => grad((w: Tensor) => forward(x, w).mul(y).sum())(zeros(filter, x.dtype)),
      },
    ]
  }),
]

/** Contractions in every form that this GPU may be given, and how fast each is. */
export const forms = async ({ software }: GpuOptions, cases: Cases, say: Say): Promise<void> => {
  let current = { name: '', precision: '' }
  const seen = new Set<string>()
  const { device } = await openWithTuner({ software }, (adapter) => {
    const target = software ? pretended : targetOf(adapter)
    return {
      target,
      needs: () => true,
      measure: async (plan, bench) => {
        for (const subject of subjectsOf(plan, target, {})) {
          const { kernel, contraction } = subject
          const shapeClass = shapeClassOf(kernel, contraction)
          if (!seen.has(shapeClass)) await everyForm({ plan, ...current }, subject, target, { bench, say })
          seen.add(shapeClass)
        }
      },
    }
  })
  for (const dtype of ['f32', 'f16'] as const satisfies readonly DType[])
    for (const { name, shapes, of } of contractions(cases)) {
      current = { name, precision: dtype }
      const args = await Promise.all(shapes.map((shape) => device.realize(zeros(shape, dtype))))
      await device.compile(of)(at(args, 0), at(args, 1))
      for (const x of args) device.release(x)
    }
  say(check('classes of contractions were tried', seen.size > 0, { detail: [...seen].join('; ') }))
  await device.close()
}
