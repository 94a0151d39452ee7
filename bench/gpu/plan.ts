/** The stages of a run, in their order, with their limits: data, that run.ts goes through. */

/** A stage of a run. */
export interface Stage {
  readonly name: string
  /** What it shows. */
  readonly title: string
  readonly side: 'fathom' | 'torch' | 'mlx'
  /** The stage's name to stage.ts, or the script and its arguments. */
  readonly command: readonly string[]
  /** Seconds. */
  readonly limit: number
  /** Whether forms are measured. */
  readonly tune?: boolean
  /** Whether a run without it is one that went well: what comes last, and takes long. */
  readonly optional?: boolean
}

const fathom = (name: string, title: string, limit: number, more: Partial<Stage> = {}): Stage => ({
  name,
  title,
  side: 'fathom',
  command: [name],
  limit,
  ...more,
})

const tuned = (name: string, title: string): Stage =>
  fathom(`${name}-tuned`, title, 120, { command: [name], tune: true, optional: true })

/** What fathom does. */
const ours: readonly Stage[] = [
  fathom('facts', 'the machine', 20),
  fathom('families', 'kernels of every family, against cpu', 40),
  fathom('forms', 'contractions in every form', 60),
  fathom('random', 'random numbers, bit for bit', 20),
  fathom('kernels', 'kernels, forms guessed', 70),
  fathom('published', 'the published U-Net, forms guessed', 50),
  fathom('lucidrains', "lucidrains' U-Net, forms guessed", 70),
]

const oursTuned: readonly Stage[] = [
  tuned('kernels', 'kernels, forms measured'),
  tuned('published', 'the published U-Net, forms measured'),
  tuned('lucidrains', "lucidrains' U-Net, forms measured"),
]

const proof = fathom('values', 'values of every operation, against the oracles of the proof', 90, { optional: true })

/** Beside PyTorch on one GPU. */
export const withTorch: readonly Stage[] = [
  ...ours,
  { name: 'torch-kernels', title: 'kernels in PyTorch', side: 'torch', command: ['torch/kernels.py'], limit: 50 },
  {
    name: 'torch-steps',
    title: 'U-Nets in PyTorch, eager',
    side: 'torch',
    command: ['torch/unets.py', 'eager'],
    limit: 40,
  },
  ...oursTuned,
  proof,
  {
    name: 'torch-compiled',
    title: 'U-Nets in PyTorch, compiled',
    side: 'torch',
    command: ['torch/unets.py', 'compiled'],
    limit: 180,
    optional: true,
  },
]

/** Beside MLX and PyTorch's MPS on a Mac. Never run. */
export const onMac: readonly Stage[] = [
  ...ours,
  { name: 'mlx-kernels', title: 'kernels in MLX', side: 'mlx', command: ['mlx/kernels.py'], limit: 40 },
  { name: 'mlx-steps', title: 'the published U-Net in MLX', side: 'mlx', command: ['mlx/unet.py'], limit: 40 },
  { name: 'torch-kernels', title: 'kernels in PyTorch (MPS)', side: 'torch', command: ['torch/kernels.py'], limit: 50 },
  {
    name: 'torch-steps',
    title: 'U-Nets in PyTorch (MPS)',
    side: 'torch',
    command: ['torch/unets.py', 'eager'],
    limit: 60,
  },
  ...oursTuned,
  proof,
]
