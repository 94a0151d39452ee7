/**
 * diffusers' `UNet2DModel` in plain loops: one picture, in doubles, from a config.json and a state dictionary under its own names. It shares no code
 * with the library. The golden values hold it to account, and it holds to account the stages and options for which there are none.
 */
import type { Arrays } from '../autoencoder/support.ts'

/** Channels, height, width and values, CHW. */
export interface Plane {
  readonly c: number
  readonly h: number
  readonly w: number
  readonly data: Float64Array
}

/** Settings as diffusers writes them; all are there. */
export interface PlainConfig {
  readonly center_input_sample: boolean
  readonly time_embedding_type: string
  readonly freq_shift: number
  readonly flip_sin_to_cos: boolean
  readonly down_block_types: readonly string[]
  readonly up_block_types: readonly string[]
  readonly block_out_channels: readonly number[]
  readonly layers_per_block: number
  readonly mid_block_scale_factor: number
  readonly downsample_padding: number
  readonly downsample_type: string
  readonly upsample_type: string
  readonly act_fn: string
  readonly attention_head_dim: number | null
  readonly norm_num_groups: number | null
  readonly attn_norm_num_groups: number | null
  readonly norm_eps: number
  readonly resnet_time_scale_shift: string
  readonly add_attention: boolean
  readonly class_embed_type: string | null
  readonly num_class_embeds: number | null
}

const plane = (c: number, h: number, w: number, f: (c: number, y: number, x: number) => number): Plane => {
  const data = new Float64Array(c * h * w)
  for (let k = 0; k < c; k++)
    for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) data[(k * h + y) * w + x] = f(k, y, x)
  return { c, h, w, data }
}

/** 0 outside. */
const pixel = ({ h, w, data }: Plane, c: number, y: number, x: number): number =>
  y < 0 || x < 0 || y >= h || x >= w ? 0 : (data[(c * h + y) * w + x] ?? NaN)

const map = (x: Plane, f: (v: number) => number): Plane => ({ ...x, data: x.data.map((v) => f(v)) })
const plus = (a: Plane, b: Plane): Plane => plane(a.c, a.h, a.w, (c, y, x) => pixel(a, c, y, x) + pixel(b, c, y, x))
const beside = (a: Plane, b: Plane): Plane =>
  plane(a.c + b.c, a.h, a.w, (c, y, x) => (c < a.c ? pixel(a, c, y, x) : pixel(b, c - a.c, y, x)))

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
const acts: Readonly<Record<string, (x: number) => number>> = {
  silu: (x) => x * sigmoid(x),
  relu: (x) => Math.max(0, x),
  mish: (x) => x * Math.tanh(Math.log1p(Math.exp(x))),
}
const silu = acts['silu'] ?? Number

/** Means of squares of four pixels; and each pixel four times. */
const average = (x: Plane): Plane =>
  plane(x.c, x.h / 2, x.w / 2, (c, i, j) =>
    [0, 1].reduce((s, a) => s + [0, 1].reduce((t, b) => t + pixel(x, c, 2 * i + a, 2 * j + b) / 4, 0), 0),
  )
const nearest = (x: Plane): Plane => plane(x.c, 2 * x.h, 2 * x.w, (c, i, j) => pixel(x, c, i >> 1, j >> 1))

/** upfirdn2d of StyleGAN2: zeros between pixels and around them, a convolution with [1, 3, 3, 1]², and every so-manieth pixel of it. */
const upfirdn = (x: Plane, up: number, down: number, before: number, gain: number): Plane => {
  const k = [1, 3, 3, 1]
  const spread = (c: number, y: number, z: number): number =>
    y % up === 0 && z % up === 0 ? pixel(x, c, y / up, z / up) : 0
  return plane(x.c, (x.h * up) / down, (x.w * up) / down, (c, i, j) =>
    k.reduce(
      (s, a, p) =>
        s + k.reduce((t, b, q) => t + (a * b * gain * spread(c, i * down + p - before, j * down + q - before)) / 64, 0),
      0,
    ),
  )
}
const firDown = (x: Plane): Plane => upfirdn(x, 1, 2, 1, 1)
const firUp = (x: Plane): Plane => upfirdn(x, 2, 1, 2, 4)

/** How a filter moves, and the zeros before and behind the picture: 1 of each by default. */
interface ConvOptions {
  readonly stride?: number
  readonly before?: number
  readonly after?: number
}

/** The layers of a state dictionary, by their names. */
const layersOf = (arrays: Arrays, epsilon: number, act: (x: number) => number) => {
  const used = new Set<string>()
  const get = (name: string) => {
    const array = arrays.get(name)
    if (array === undefined) throw new Error(`no ${name}`)
    used.add(name)
    return array
  }
  const linear = (name: string, v: readonly number[]): readonly number[] => {
    const { shape, values } = get(`${name}.weight`)
    const bias = get(`${name}.bias`).values
    const inputs = shape[1] ?? NaN
    return Array.from(bias, (b, o) => v.reduce((s, x, i) => s + x * (values[o * inputs + i] ?? NaN), b))
  }
  const conv = (name: string, x: Plane, options: ConvOptions = {}): Plane => {
    const { stride = 1, before = 1, after = before } = options
    const { shape, values } = get(`${name}.weight`)
    const bias = get(`${name}.bias`).values
    const [outputs = 0, inputs = 0, k = 0] = shape
    const out = (n: number): number => Math.floor((n + before + after - k) / stride) + 1
    return plane(outputs, out(x.h), out(x.w), (o, i, j) => {
      let sum = bias[o] ?? NaN
      for (let c = 0; c < inputs; c++)
        for (let a = 0; a < k; a++)
          for (let b = 0; b < k; b++)
            sum +=
              (values[((o * inputs + c) * k + a) * k + b] ?? NaN) *
              pixel(x, c, i * stride + a - before, j * stride + b - before)
      return sum
    })
  }
  const norm = (name: string, x: Plane, groups: number): Plane => {
    const [weight, bias] = [get(`${name}.weight`).values, get(`${name}.bias`).values]
    const each = (x.c / groups) * x.h * x.w
    const moments = Array.from({ length: groups }, (_, g) => {
      const own = x.data.subarray(g * each, (g + 1) * each)
      const mean = own.reduce((s, v) => s + v, 0) / each
      return { mean, deviation: Math.sqrt(own.reduce((s, v) => s + (v - mean) ** 2, 0) / each + epsilon) }
    })
    return plane(x.c, x.h, x.w, (c, y, z) => {
      const { mean, deviation } = moments[Math.floor((c * groups) / x.c)] ?? { mean: NaN, deviation: NaN }
      return ((pixel(x, c, y, z) - mean) / deviation) * (weight[c] ?? NaN) + (bias[c] ?? NaN)
    })
  }
  const attention = (name: string, x: Plane, heads: number, groups: number | null, scale: number): Plane => {
    const source = groups === null ? x : norm(`${name}.group_norm`, x, groups)
    const vectors = Array.from({ length: x.h * x.w }, (_, p) =>
      Array.from({ length: x.c }, (_, c) => source.data[c * x.h * x.w + p] ?? NaN),
    )
    const [q, k, v] = ['to_q', 'to_k', 'to_v'].map((part) => vectors.map((vector) => linear(`${name}.${part}`, vector)))
    const size = x.c / heads
    const mixed = (q ?? []).map((query) =>
      Array.from({ length: heads }, (_, head) => {
        const [from, to] = [head * size, (head + 1) * size]
        const logits = (k ?? []).map((key) =>
          Math.exp(query.slice(from, to).reduce((s, a, i) => s + a * (key[from + i] ?? NaN), 0) / Math.sqrt(size)),
        )
        const total = logits.reduce((s, e) => s + e, 0)
        return Array.from({ length: size }, (_, i) =>
          logits.reduce((s, e, j) => s + (e / total) * (v?.[j]?.[from + i] ?? NaN), 0),
        )
      }).flat(),
    )
    const out = mixed.map((vector) => linear(`${name}.to_out.0`, vector))
    return plane(x.c, x.h, x.w, (c, y, z) => ((out[y * x.w + z]?.[c] ?? NaN) + pixel(x, c, y, z)) / scale)
  }
  const resnet = (
    name: string,
    x: Plane,
    emb: readonly number[],
    groups: readonly [number, number],
    { isScaled = false, scale = 1, resample = (y: Plane): Plane => y } = {},
  ): Plane => {
    const h = conv(`${name}.conv1`, resample(map(norm(`${name}.norm1`, x, groups[0]), act)))
    const told = linear(`${name}.time_emb_proj`, emb.map(act))
    const one = (c: number): number => told[c] ?? NaN
    const second = isScaled
      ? ((n) => plane(n.c, n.h, n.w, (c, y, z) => pixel(n, c, y, z) * (1 + one(c)) + one(n.c + c)))(
          norm(`${name}.norm2`, h, groups[1]),
        )
      : norm(
          `${name}.norm2`,
          plane(h.c, h.h, h.w, (c, y, z) => pixel(h, c, y, z) + one(c)),
          groups[1],
        )
    const shortcut = arrays.has(`${name}.conv_shortcut.weight`)
      ? conv(`${name}.conv_shortcut`, resample(x), { before: 0 })
      : resample(x)
    return map(plus(shortcut, conv(`${name}.conv2`, map(second, act))), (v) => v / scale)
  }
  return { used, get, linear, conv, norm, attention, resnet }
}

type Layers = ReturnType<typeof layersOf>

const quarter = (n: number): number => Math.min(Math.floor(n / 4), 32)
const firstOf = (config: PlainConfig): number => config.block_out_channels[0] ?? NaN
const lastOf = (config: PlainConfig): number => config.block_out_channels.at(-1) ?? NaN

/** The vector that every block is told. */
const toldOf = (config: PlainConfig, { get, linear }: Layers, t: number, label?: number | readonly number[]) => {
  const first = firstOf(config)
  const row = (name: string, i: number, width: number): readonly number[] =>
    Array.from(get(name).values.subarray(i * width, (i + 1) * width))
  const project = (time: number): readonly number[] => {
    if (config.time_embedding_type === 'learned') return row('time_proj.weight', time, first)
    if (config.time_embedding_type === 'fourier') {
      const angles = Array.from(get('time_proj.weight').values, (f) => Math.log(time) * f * 2 * Math.PI)
      return [...angles.map(Math.sin), ...angles.map(Math.cos)]
    }
    const half = first / 2
    const frequency = (i: number): number => Math.exp((-Math.log(10000) * i) / (half - config.freq_shift))
    const angles = Array.from({ length: half }, (_, i) => time * frequency(i))
    const [sines, cosines] = [angles.map(Math.sin), angles.map(Math.cos)]
    return config.flip_sin_to_cos ? [...cosines, ...sines] : [...sines, ...cosines]
  }
  const twice = (name: string, v: readonly number[]): readonly number[] =>
    linear(`${name}.linear_2`, linear(`${name}.linear_1`, v).map(silu))
  const time = twice('time_embedding', project(t))
  const classOf = (): readonly number[] => {
    if (typeof label === 'object') return label
    if (label === undefined) return time.map(() => 0)
    return config.class_embed_type === 'timestep'
      ? twice('class_embedding', project(label))
      : row('class_embedding.weight', label, time.length)
  }
  const added = classOf()
  return time.map((v, i) => v + (added[i] ?? NaN))
}

/** What all parts of a network need. */
interface Context {
  readonly config: PlainConfig
  readonly layers: Layers
  readonly emb: readonly number[]
  readonly isScaled: boolean
  readonly headsOf: (width: number) => number
}

/** A stage: its name, the kind of its block, and its width. */
interface Stage {
  readonly name: string
  readonly type: string
  readonly width: number
}

const scaleOf = (type: string): number => (type.includes('Skip') ? Math.sqrt(2) : 1)

/** What each block of a stage gives, on the way down. */
const blocksDown = (context: Context, { name, type, width }: Stage, start: Plane): readonly Plane[] => {
  const { config, layers, emb, isScaled, headsOf } = context
  const isSkip = type.includes('Skip')
  const [scale, groups] = [scaleOf(type), config.norm_num_groups ?? NaN]
  const images: Plane[] = []
  for (let j = 0; j < config.layers_per_block; j++) {
    const before = images.at(-1) ?? start
    const own = isSkip ? ([quarter(before.c), quarter(width)] as const) : ([groups, groups] as const)
    const x = layers.resnet(`${name}.resnets.${j}`, before, emb, own, { isScaled, scale })
    const isAttentive = type.startsWith('Attn')
    const attended = `${name}.attentions.${j}`
    images.push(isAttentive ? layers.attention(attended, x, headsOf(width), isSkip ? 32 : groups, scale) : x)
  }
  return images
}

/** What the blocks of a stage give, on the way up. */
const blocksUp = (context: Context, { name, type, width }: Stage, start: Plane, kept: Plane[]): Plane => {
  const { config, layers, emb, isScaled, headsOf } = context
  const [isSkip, isAttentive] = [type.includes('Skip'), type.startsWith('Attn')]
  const [scale, groups] = [scaleOf(type), config.norm_num_groups ?? NaN]
  let x = start
  for (let j = 0; j < config.layers_per_block + 1; j++) {
    const from = kept.pop() ?? x
    const sum = isAttentive ? Math.min(x.c + Math.floor(from.c / 4), 32) : quarter(x.c + from.c)
    const own = isSkip ? ([sum, quarter(width)] as const) : ([groups, groups] as const)
    x = layers.resnet(`${name}.resnets.${j}`, beside(x, from), emb, own, { isScaled, scale })
    if (isAttentive && !isSkip) x = layers.attention(`${name}.attentions.${j}`, x, headsOf(width), groups, scale)
  }
  return isSkip && isAttentive ? layers.attention(`${name}.attentions.0`, x, headsOf(width), 32, scale) : x
}

/** The way down: every picture on it, and the last. */
const descend = (context: Context, x0: Plane): { readonly kept: Plane[]; readonly x: Plane } => {
  const { config, layers, emb, isScaled } = context
  const { conv, resnet } = layers
  const widths = config.block_out_channels
  const groups = config.norm_num_groups ?? NaN
  let x = conv('conv_in', x0)
  let small = x0
  const kept = [x]
  for (const [i, type] of config.down_block_types.entries()) {
    const [name, width] = [`down_blocks.${i}`, widths[i] ?? NaN]
    const images = blocksDown(context, { name, type, width }, x)
    x = images.at(-1) ?? x
    kept.push(...images)
    if (i === widths.length - 1) continue
    if (type.includes('Skip')) {
      const own = [quarter(width), quarter(width)] as const
      x = resnet(`${name}.resnet_down`, x, emb, own, { isScaled, scale: scaleOf(type), resample: firDown })
      small = firDown(small)
      x = plus(x, conv(`${name}.skip_conv`, small, { before: 0 }))
    } else if (type.startsWith('Resnet') || (type.startsWith('Attn') && config.downsample_type === 'resnet'))
      x = resnet(`${name}.downsamplers.0`, x, emb, [groups, groups], { isScaled, resample: average })
    else x = conv(`${name}.downsamplers.0.conv`, x, { stride: 2, before: config.downsample_padding, after: 1 })
    kept.push(x)
  }
  return { kept, x }
}

const between = ({ config, layers, emb, isScaled, headsOf }: Context, x: Plane): Plane => {
  const width = lastOf(config)
  const groups = config.norm_num_groups ?? quarter(width)
  const scale = config.mid_block_scale_factor
  const first = layers.resnet('mid_block.resnets.0', x, emb, [groups, groups], { isScaled, scale })
  const own = config.attn_norm_num_groups ?? (isScaled ? null : groups)
  const attended = config.add_attention
    ? layers.attention('mid_block.attentions.0', first, headsOf(width), own, scale)
    : first
  return layers.resnet('mid_block.resnets.1', attended, emb, [groups, groups], { isScaled, scale })
}

/** Twice the size at the end of a stage without a small picture. */
const doubled = ({ config, layers, emb, isScaled }: Context, name: string, type: string, x: Plane): Plane => {
  const groups = config.norm_num_groups ?? NaN
  return type.startsWith('Resnet') || (type.startsWith('Attn') && config.upsample_type === 'resnet')
    ? layers.resnet(`${name}.upsamplers.0`, x, emb, [groups, groups], { isScaled, resample: nearest })
    : layers.conv(`${name}.upsamplers.0.conv`, nearest(x))
}

/** The way up: the picture at its end, and the small one that has become large. */
const ascend = (context: Context, bottom: Plane, kept: Plane[]) => {
  const { config, layers, emb, isScaled } = context
  const { conv, norm, resnet } = layers
  let x = bottom
  let small: Plane | undefined
  for (const [i, type] of config.up_block_types.entries()) {
    const [name, width] = [`up_blocks.${i}`, config.block_out_channels.toReversed()[i] ?? NaN]
    const [isSkip, isLast] = [type.includes('Skip'), i === config.up_block_types.length - 1]
    x = blocksUp(context, { name, type, width }, x, kept)
    if (isSkip && small !== undefined) small = firUp(small)
    if (isLast) continue
    if (!isSkip) {
      x = doubled(context, name, type, x)
      continue
    }
    const own = quarter(width)
    const made = conv(`${name}.skip_conv`, map(norm(`${name}.skip_norm`, x, own), silu))
    small = small === undefined ? made : plus(small, made)
    x = resnet(`${name}.resnet_up`, x, emb, [own, own], { isScaled, scale: scaleOf(type), resample: firUp })
  }
  return { x, small }
}

/** The result for one picture, and the names of the arrays that it took. */
export const plainUnet = (
  config: PlainConfig,
  arrays: Arrays,
  sample: Plane,
  t: number,
  label?: number | readonly number[],
): { readonly output: Plane; readonly used: ReadonlySet<string> } => {
  const layers = layersOf(arrays, config.norm_eps, acts[config.act_fn] ?? silu)
  const context: Context = {
    config,
    layers,
    emb: toldOf(config, layers, t, label),
    isScaled: config.resnet_time_scale_shift === 'scale_shift',
    headsOf: (width) => width / (config.attention_head_dim ?? width),
  }
  const { kept, x } = descend(context, config.center_input_sample ? map(sample, (v) => 2 * v - 1) : sample)
  const { x: top, small } = ascend(context, between(context, x), kept)
  const groups = config.norm_num_groups ?? quarter(firstOf(config))
  const end = layers.conv('conv_out', map(layers.norm('conv_norm_out', top, groups), silu))
  const output = small === undefined ? end : plus(end, small)
  return {
    output: config.time_embedding_type === 'fourier' ? map(output, (v) => v / t) : output,
    used: layers.used,
  }
}
