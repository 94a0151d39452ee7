/** Residual networks for pictures: He et al. 2016, "Deep Residual Learning for Image Recognition", as torchvision has them. */
import { relu } from '../../nn/activations.ts'
import { normal } from '../../nn/init.ts'
import { linear } from '../../nn/linear.ts'
import { compose, type Module, type ParamsOf } from '../../nn/module.ts'
import { at, product, range } from '../../prelude/array.ts'
import { ShapeError } from '../../prelude/errors.ts'
import { requireKnown, requireWhole } from '../../prelude/options.ts'
import { keysOf } from '../../prelude/record.ts'
import { showShape } from '../../graph/shape.ts'
import { maxPool } from '../../tensor/pooling.ts'
import { foldIn } from '../../tensor/random.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { mapTree } from '../../tensor/tree.ts'
import { blockKinds, residualBlock, stemOf, type BlockKind, type ResnetNorm } from './blocks.ts'

/** A residual network. */
export interface ResnetOptions {
  /** Blocks of each stage; from the second on a stage halves height and width, and doubles the width. */
  readonly blocks: readonly number[]
  /** Two 3×3 convolutions, or 1×1, 3×3 and 1×1 with four times the width outside; default `basic`. */
  readonly block?: BlockKind
  /** Channels of the 3×3 convolutions of the first stage; default 64. */
  readonly width?: number
  /** Default `batch`, whose running statistics are a state: apply it by `applyWithState`. `group` keeps none. */
  readonly norm?: ResnetNorm
  /** `large`, the default: 7×7 with stride 2 and a pooling of 3×3, for 224×224; `small`: 3×3, for 32×32 (the paper's section 4.2). */
  readonly stem?: 'large' | 'small'
  /** Channels of the pictures; default 3. */
  readonly channels?: number
  /** Default 1000. */
  readonly classes?: number
}

const optionNames: readonly (keyof ResnetOptions)[] = [
  'blocks',
  'block',
  'width',
  'norm',
  'stem',
  'channels',
  'classes',
]

/** He's normal numbers of variance 2 / (k²·out) for filters (He et al. 2015, section 2.2, backward), as torchvision begins. */
const beginning = <P>(module: Module<P>): Module<P> => ({
  ...module,
  init: (key) =>
    mapTree<P>(module.init(key), (x, path) =>
      x.rank === 4
        ? normal(x.shape, Math.sqrt(2 / (at(x.shape, 0) * at(x.shape, 1) * at(x.shape, 3))))(foldIn(key, path))
        : x,
    ),
})

const stagesOf = ({ blocks, block = 'basic', width = 64, norm = 'batch' }: ResnetOptions) => {
  const { expansion } = blockKinds[block]
  return blocks.flatMap((count, stage) =>
    range(count).map((i) => {
      const own = width * 2 ** stage
      const before = stage === 0 ? width : (own / 2) * expansion
      return residualBlock(block, {
        inputs: i === 0 ? before : own * expansion,
        width: own,
        stride: i === 0 && stage > 0 ? 2 : 1,
        norm,
      })
    }),
  )
}

const build = (options: ResnetOptions) => {
  const { blocks, block = 'basic', width = 64, norm = 'batch', stem = 'large', channels = 3, classes = 1000 } = options
  const features = width * 2 ** (blocks.length - 1) * blockKinds[block].expansion
  return compose(
    { stem: stemOf(channels, width, stem, norm), blocks: stagesOf(options), out: linear(features, classes) },
    ({ stem: first, blocks: each, out }, x: Tensor) => {
      const begun = relu(first(x))
      const seen = each.reduce(
        (y, residual) => residual(y),
        stem === 'large' ? maxPool(begun, 3, { stride: 2, padding: 1 }) : begun,
      )
      return out(seen.mean([1, 2]))
    },
  )
}

/** The parameters of {@link resnet}. */
export type ResnetParams = ParamsOf<ReturnType<typeof build>>

/** What settings with names may be. */
const choices = { block: ['basic', 'bottleneck'], norm: ['batch', 'group'], stem: ['large', 'small'] } as const

const requireOptions = (options: ResnetOptions): void => {
  requireKnown('resnet', options, optionNames)
  const { blocks } = options
  if (!Array.isArray(blocks) || blocks.length === 0)
    throw new RangeError('resnet: blocks must be a list of counts, one for each stage, for instance [2, 2, 2, 2]')
  for (const count of blocks) requireWhole('resnet', 'a count of blocks', count, 1)
  for (const name of ['width', 'channels', 'classes'] as const) requireWhole('resnet', name, options[name] ?? 1, 1)
  for (const name of keysOf(choices)) {
    const [value, known]: [string | undefined, readonly string[]] = [options[name], choices[name]]
    if (value !== undefined && !known.includes(value))
      throw new RangeError(`resnet: ${name} is '${value}'; it must be ${known.join(' or ')}`)
  }
}

const requirePictures = (x: Tensor, channels: number): void => {
  if (x.rank !== 4 || x.shape[3] !== channels || product(x.shape.slice(1)) === 0)
    throw new ShapeError(`resnet: takes pictures [N, H, W, ${channels}], got ${showShape(x.shape)}`)
}

/**
 * A residual network: `[N, H, W, channels] → [N, classes]` logits. Filters begin as torchvision's.
 *
 * @throws RangeError for settings that are none; ShapeError for what is no picture
 * @example
 * ```ts
 * import { countElements, key, zeros } from 'fathom'
 * import { resnet } from 'fathom/models'
 * import { applyWithState, stateOf } from 'fathom/nn'
 *
 * const small = resnet({ blocks: [1, 1], width: 8, stem: 'small', norm: 'group', classes: 10 })
 * small.apply(small.init(key(0)), zeros([2, 32, 32, 3])).shape // => [2, 10]
 * const usual = resnet({ blocks: [1, 1], width: 8, classes: 10 })
 * const [logits] = applyWithState(usual, usual.init(key(0)), stateOf(usual), zeros([2, 64, 64, 3]))
 * logits.shape // => [2, 10]
 * ```
 */
export const resnet = (options: ResnetOptions): Module<ResnetParams> => {
  requireOptions(options)
  const module = beginning(build(options))
  return {
    ...module,
    apply: (params, x, mode) => {
      requirePictures(x, options.channels ?? 3)
      return module.apply(params, x, mode)
    },
  }
}

/**
 * The networks of He et al. 2016, table 1: with 1000 classes they have 11.7, 21.8, 25.6 and 44.5 million parameters.
 *
 * @example
 * ```ts
 * import { resnetSizes } from 'fathom/models'
 *
 * resnetSizes[50] // => { block: 'bottleneck', blocks: [3, 4, 6, 3] }
 * ```
 */
export const resnetSizes = {
  18: { block: 'basic', blocks: [2, 2, 2, 2] },
  34: { block: 'basic', blocks: [3, 4, 6, 3] },
  50: { block: 'bottleneck', blocks: [3, 4, 6, 3] },
  101: { block: 'bottleneck', blocks: [3, 4, 23, 3] },
} as const satisfies Readonly<Record<number, Pick<ResnetOptions, 'block' | 'blocks'>>>
