/**
 * What is measured, as data: kernels at the sizes of the presets, whole training steps, and steps of sampling.
 *
 * Every function also takes its last results, which it may overwrite: memory then stays flat however often it runs.
 */
import {
  conv2d,
  foldIn,
  grad,
  key,
  leaves,
  normal,
  zeros,
  type Compiled,
  type Device,
  type Tensor,
} from '../src/index.ts'
import type { Plan } from '../src/compiler/plan.ts'
import type { Profile } from '../src/compiler/profile.ts'
import { linearAttention, pixelAttention } from '../src/models/index.ts'
import { rmsNorm, silu } from '../src/nn/index.ts'
import { E } from '../src/prelude/fp.ts'
import { drawerOn } from '../src/train/tasks/diffusion/draw.ts'
import { configOf, initialState, presets, recipeOf, stepperOn, type PresetName } from '../src/train/index.ts'

/** Kinds of subjects. */
export const groups = ['gemm', 'conv', 'norm', 'attention', 'step', 'sampling'] as const
export type Group = (typeof groups)[number]

/** A subject on a device. */
export interface Prepared {
  /** What one run computes. */
  readonly plan: Plan
  /** How many such plans a run is. */
  readonly plans: number
  readonly run: () => Promise<void>
  /** One run with the time of each kernel; absent where a run is not one plan. */
  readonly profile?: () => Promise<Profile>
}

/** A subject. */
export interface Subject {
  readonly group: Group
  readonly name: string
  readonly prepare: (device: Device) => Promise<Prepared>
}

const draw = async (device: Device, i: number, shape: readonly number[]): Promise<Tensor> =>
  device.realize(normal(foldIn(key(0), i), shape))

/** A function of some tensors, to be run again and again on the same ones. */
export const replayed = async <A extends readonly unknown[], R>(
  device: Device,
  fn: (...args: A) => R,
  args: A,
): Promise<Prepared> => {
  const once = device.compile((given: A) => leaves(fn(...given)))
  const plan = once.plan(args)
  let last: readonly Tensor[] = await device.realize(plan.outputs.map(({ shape, dtype }) => zeros(shape, dtype)))
  const again: Compiled<[A, readonly Tensor[]], readonly Tensor[]> = device.compile(
    (...[given]: [given: A, last: readonly Tensor[]]) => leaves(fn(...given)),
    { donate: [1] },
  )
  return {
    plan,
    plans: 1,
    run: async () => {
      last = await again(args, last)
    },
    profile: async () => again.profile(args, last),
  }
}

const shapesOf = async (device: Device, shapes: readonly (readonly number[])[]): Promise<readonly Tensor[]> =>
  Promise.all(shapes.map(async (shape, i) => draw(device, i, shape)))

/** A function of normal numbers of these shapes. */
const ofShapes =
  <A extends readonly Tensor[]>(
    shapes: { readonly [I in keyof A]: readonly number[] },
    fn: (...x: A) => unknown,
  ): Subject['prepare'] =>
  async (device) =>
    replayed(device, fn, (await shapesOf(device, shapes)) as unknown as A)

const gemms: readonly Subject[] = (
  [
    [256, 256, 256],
    [512, 512, 512],
    [1024, 1024, 1024],
    [16_384, 32, 128],
  ] as const
).map(([m, k, n]) => ({
  group: 'gemm',
  name: `gemm ${m}×${k}×${n}`,
  prepare: ofShapes(
    [
      [m, k],
      [k, n],
    ],
    (x, y) => x.matmul(y),
  ),
}))

/** ⟨f(x), y⟩: its gradient is f's transpose at y. */
const against = (f: (x: Tensor) => Tensor, y: Tensor) => (x: Tensor) => f(x).mul(y).sum()

const conv = (x: Tensor, w: Tensor): Tensor => conv2d(x, w, { padding: 1 })

/** The three passes of a 3×3 convolution: forward, and the gradients of its input and of its filter. */
const convSubjects = ([n, size, channels]: readonly [number, number, number]): readonly Subject[] => {
  const image = [n, size, size, channels]
  const filter = [3, 3, channels, channels]
  const passes: { readonly [pass: string]: (x: Tensor, w: Tensor, y: Tensor) => Tensor } = {
    forward: (x, w) => conv(x, w),
    'input gradient': (x, w, y) => grad(against((x) => conv(x, w), y))(x),
    'filter gradient': (x, w, y) => grad(against((w) => conv(x, w), y))(w),
  }
  return Object.entries(passes).map(([pass, f]) => ({
    group: 'conv',
    name: `conv 3×3 [${image.join('×')}] ${pass}`,
    prepare: ofShapes([image, filter, image], f),
  }))
}

const convs: readonly Subject[] = (
  [
    [16, 32, 32],
    [16, 16, 64],
    [16, 8, 128],
    [4, 64, 64],
  ] as const
).flatMap(convSubjects)

/** A layer of the U-Net and its gradients, at its input and its parameters. */
const layer = <P>(
  name: string,
  group: Group,
  shape: readonly number[],
  module: { readonly init: (k: Tensor) => P; readonly apply: (params: P, x: Tensor) => Tensor },
): readonly Subject[] => {
  const prepare =
    (fn: (params: P, x: Tensor, y: Tensor) => unknown): Subject['prepare'] =>
    async (device) => {
      const params = await device.realize(module.init(key(1)))
      const [x, y] = [await draw(device, 0, shape), await draw(device, 1, shape)]
      return replayed(device, fn, [params, x, y] as const)
    }
  const gradients = grad(({ params, x, y }: { params: P; x: Tensor; y: Tensor }) =>
    module.apply(params, x).mul(y).sum(),
  )
  return [
    { group, name: `${name} [${shape.join('×')}] forward`, prepare: prepare((params, x) => module.apply(params, x)) },
    {
      group,
      name: `${name} [${shape.join('×')}] with gradients`,
      prepare: prepare((params, x, y) => {
        const { params: ofParams, x: ofX } = gradients({ params, x, y })
        return [ofParams, ofX]
      }),
    },
  ]
}

const normed = (channels: number) => {
  const norm = rmsNorm(channels)
  return { init: norm.init, apply: (p: Parameters<typeof norm.apply>[0], x: Tensor) => silu(norm.apply(p, x)) }
}

const layers: readonly Subject[] = [
  ...layer('RMS norm, SiLU', 'norm', [16, 32, 32, 32], normed(32)),
  ...layer('RMS norm, SiLU', 'norm', [16, 8, 8, 128], normed(128)),
  ...layer('linear attention', 'attention', [16, 32, 32, 32], linearAttention(32, { heads: 4, headWidth: 32 })),
  ...layer('attention', 'attention', [16, 8, 8, 128], pixelAttention(128, { heads: 4, headWidth: 32 })),
]

/** The recipe of a preset, trained on procedural seas. */
export const presetRecipe = (preset: PresetName): ReturnType<typeof recipeOf> => {
  const config = configOf({ preset, out: 'runs/bench' })
  if (E.isLeft(config)) throw new Error(config.left.message)
  return recipeOf(config.right)
}

const prepareStep =
  (preset: PresetName): Subject['prepare'] =>
  async (device) => {
    const recipe = presetRecipe(preset)
    const { batch, height, width } = recipe.task.config
    const stepper = stepperOn(device, recipe)
    const bytes = Uint8Array.from({ length: batch * height * width * 3 }, (_, i) => (i * 37) % 256)
    const pictures = recipe.task.examples(bytes)
    let state = await device.realize(initialState(recipe, key(0)))
    let step = 0
    return {
      plan: stepper.plan(state),
      plans: recipe.accumulate,
      run: async () => {
        const [next, { loss }] = await stepper.run(state, pictures, (step += 1))
        await device.read(loss)
        state = next
      },
      profile: async () => stepper.profile(state, pictures, step + 1),
    }
  }

/** Pictures that are drawn together, and steps of the sampler in one run. */
const [drawn, samplerSteps] = [4, 2]

const prepareSampling =
  (preset: PresetName): Subject['prepare'] =>
  async (device) => {
    const { task } = presetRecipe(preset)
    const { height, width } = task.config
    const params = await device.realize(task.init(key(0)))
    const draw = drawerOn(device, task, { count: drawn, steps: samplerSteps, seed: 0 })
    const denoise = device.compile((p: typeof params, x: Tensor, t: Tensor) => task.model.apply(p, { x, t }))
    return {
      plan: denoise.plan(params, zeros([drawn, height, width, 3]), zeros([drawn])),
      plans: samplerSteps,
      run: async () => {
        await draw(params)()
      },
    }
  }

const names = Object.keys(presets) as readonly PresetName[]

const wholes: readonly Subject[] = [
  ...names.map((preset): Subject => ({
    group: 'step',
    name: `training step, ${preset}`,
    prepare: prepareStep(preset),
  })),
  ...names.map((preset): Subject => ({
    group: 'sampling',
    name: `sampling ${drawn} pictures in ${samplerSteps} steps, ${preset}`,
    prepare: prepareSampling(preset),
  })),
]

/** All subjects. */
export const subjects: readonly Subject[] = [...gemms, ...convs, ...layers, ...wholes]
