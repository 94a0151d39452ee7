/** What is wrong with settings of the network that fit one by one. */
import { at } from '../../prelude/array.ts'
import type { SettingFault } from '../settingFault.ts'
import {
  attendsToTokens,
  groupsOf,
  headsOf,
  kindsDown,
  kindsUp,
  stageKinds,
  stagesDown,
  stagesUp,
  timeWidthOf,
  type Stage,
  type StageKind,
  type Unet2dSettings,
} from './stages.ts'

/** A setting of the network, and what it must be. */
type Unet2dFault = SettingFault<Unet2dSettings>

const undivided = (channels: number, groups: number): Unet2dFault | undefined =>
  groups >= 1 && channels % groups === 0
    ? undefined
    : {
        setting: 'groups',
        expected: `a number that divides the channels of every norm: ${groups} groups do not divide ${channels}`,
      }

const faultOfStage = ({ kind, width, blocks, attentionGroups, resizing }: Stage): Unet2dFault | undefined => {
  const norms = [...blocks, resizing].flatMap(({ inputs, outputs, groups }) => [
    [inputs, groups[0]] as const,
    [outputs, groups[1]] as const,
  ])
  const all = stageKinds[kind].attention ? [...norms, [width, attentionGroups] as const] : norms
  return all.map(([channels, groups]) => undivided(channels, groups)).find((fault) => fault !== undefined)
}

/** Heads that do not divide the channels of a stage with attention. */
const faultOfHeads = (settings: Unet2dSettings, stages: readonly Stage[]): Unet2dFault | undefined => {
  const { headWidth, attention = true, widths } = settings
  const attentive = stages.filter(({ kind }) => stageKinds[kind].attention).map(({ width }) => width)
  const bad = [...attentive, ...(attention === true ? [at(widths, widths.length - 1)] : [])].find(
    (width) => headWidth !== undefined && width % headWidth !== 0,
  )
  return bad === undefined
    ? undefined
    : { setting: 'headWidth', expected: `a divisor of the widths with attention, as of ${bad}` }
}

/** Stages with a small image that would be of another size: it is made smaller from the image on, and larger until the end. */
const faultOfSkips = (down: readonly StageKind[], up: readonly StageKind[]): Unet2dFault | undefined => {
  const isSkip = (kind: StageKind): boolean => stageKinds[kind].resize === 'fir'
  const late = (kinds: readonly StageKind[]): boolean =>
    kinds.some((kind, i) => i > 0 && isSkip(kind) && !isSkip(at(kinds, i - 1)))
  if (late(down)) return { setting: 'down', expected: 'stages of which those with skip come first' }
  return late(up.toReversed()) ? { setting: 'up', expected: 'stages of which those with skip come last' } : undefined
}

const faultOfTime = (settings: Unet2dSettings): Unet2dFault | undefined => {
  const { widths, time = 'positional', times, frequencyShift = 0, conditions = 0, conditioning } = settings
  const [width, length] = [at(widths, 0), timeWidthOf(settings)]
  if (time === 'positional' && (width % 2 !== 0 || width / 2 <= frequencyShift))
    return {
      setting: 'widths',
      expected: `an even number first, more than ${2 * frequencyShift}, for sinusoids of times`,
    }
  if ((time === 'learned') !== (times !== undefined))
    return { setting: 'times', expected: 'there where time is learned, and only there' }
  if (conditioning === 'time' && conditions !== 1)
    return { setting: 'conditions', expected: '1 where conditioning is time: one number like a time' }
  if (conditioning === 'vector' && conditions !== length)
    return { setting: 'conditions', expected: `${length} where conditioning is vector: as long as the time's` }
  return undefined
}

/** Tokens that there is no use for, or none; and heads that do not divide the channels of a stage with cross-attention. */
const faultOfTokens = (settings: Unet2dSettings, stages: readonly Stage[]): Unet2dFault | undefined => {
  const { tokenWidth, widths, attention } = settings
  if (attendsToTokens(settings) !== (tokenWidth !== undefined))
    return { setting: 'tokenWidth', expected: 'there where stages have cross-attention, and only there' }
  const middle = { width: at(widths, widths.length - 1), heads: headsOf(settings, widths.length - 1) }
  const bad = [
    ...stages.filter(({ kind }) => kind === 'cross-attention'),
    ...(attention === 'cross' ? [middle] : []),
  ].find(({ width, heads }) => width % heads !== 0)
  return bad === undefined
    ? undefined
    : {
        setting: 'heads',
        expected: `a number that divides the width of each stage with cross-attention, as ${bad.width}`,
      }
}

/** What the settings must be to one another: the first that is not. */
export const faultOf = (settings: Unet2dSettings): Unet2dFault | undefined => {
  const { widths, middleGroups } = settings
  const [down, up] = [kindsDown(settings), kindsUp(settings)]
  for (const [setting, kinds] of [
    ['down', down],
    ['up', up],
  ] as const)
    if (kinds.length !== widths.length)
      return { setting, expected: `a kind for each of the ${widths.length} widths, not ${kinds.length}` }
  if (typeof settings.heads === 'object' && settings.heads.length !== widths.length)
    return {
      setting: 'heads',
      expected: `a number for each of the ${widths.length} widths, not ${settings.heads.length}`,
    }
  const last = at(widths, widths.length - 1)
  const stages = [...stagesDown(settings), ...stagesUp(settings)]
  const norms = [
    undivided(last, groupsOf(settings, last)),
    undivided(at(widths, 0), groupsOf(settings, at(widths, 0))),
    ...stages.map(faultOfStage),
  ]
  const middle = undivided(last, middleGroups ?? 1)
  return (
    norms.find((fault) => fault !== undefined) ??
    (middle && { ...middle, setting: 'middleGroups' }) ??
    faultOfHeads(settings, stages) ??
    faultOfTokens(settings, stages) ??
    faultOfSkips(down, up) ??
    faultOfTime(settings)
  )
}
