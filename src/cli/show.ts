/** Numbers and facts as a person reads them. */
import { showBytes, showFlops } from '../compiler/print.ts'
import type { RunFacts } from '../train/index.ts'

/** `12,345`. */
export const grouped = (n: number): string => n.toLocaleString('en-US')

/** `1 picture`, `12,345 pictures`. */
export const pictures = (n: number): string => `${grouped(n)} ${n === 1 ? 'picture' : 'pictures'}`

/** `0:42`, `12:05`, `1:59:07`, and from a day on `3 d 4 h`. */
export const showDuration = (seconds: number): string => {
  const s = Math.max(0, Math.round(seconds))
  if (!Number.isFinite(s)) return '?'
  if (s >= 86_400) return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`
  const [h, m] = [Math.floor(s / 3600), Math.floor((s % 3600) / 60)]
  const two = (n: number): string => String(n).padStart(2, '0')
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`
}

/** `187 k`, `11.6 M`. */
export const showCount = (n: number): string =>
  n < 1e4 ? grouped(n) : n < 1e6 ? `${(n / 1e3).toFixed(0)} k` : `${(n / 1e6).toFixed(1)} M`

/** The lines above a run: what it works on, where, and how much it takes. */
export const header = ({
  config,
  words,
  device,
  data,
  parameters,
  memory,
  weights,
  averages,
  flops,
}: RunFacts): string => {
  const count = config.batch * config.accumulate
  const { one, many } = words.example
  const batch = config.accumulate === 1 ? `batch ${config.batch}` : `batch ${config.batch} × ${config.accumulate}`
  return [
    `  ${many.padEnd(9)} ${data}`,
    `  device    ${device} · ${config.precision ?? 'f32'}`,
    `  model     ${words.model} · ${showCount(parameters)} parameters · ${showFlops(flops / count)} ${one} in training · ${words.goal}`,
    `  memory    planned ${showBytes(memory)} a step (weights ${showBytes(weights)} · optimizer and ${averages === 1 ? 'average' : `${averages} averages`} ${showBytes((2 + averages) * weights)})`,
    `  plan      ${grouped(config.steps)} steps × ${batch} · seed ${config.seed}`,
    '',
  ].join('\n')
}
