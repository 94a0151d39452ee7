/** Methods that ask the network more than once a step: their entries one by one, each at a point of its own. */
import { at } from '../../prelude/array.ts'
import { stepsOf, type Levels } from '../levels.ts'
import { lambda, pointsOf, tablesOf, type Point } from '../point.ts'
import { timesOf } from '../scheduleLevels.ts'
import type { Sampler } from '../sampler.ts'
import { straight, type Terms } from './form.ts'
import { multistep, type Entry, type MultistepState } from './multistep.ts'

/** An entry at its point. */
export interface Stage {
  readonly at: Point
  /** What the network is told there. */
  readonly time: number
  /** How many entries its step has made before it; where a walk has begun after them, the entry is a step of first order. */
  readonly after: number
  readonly make: (terms: Terms, known: number) => Entry
}

/** A step between two levels. */
export interface Span {
  readonly from: Point
  readonly to: Point
  /** The times that the network is told at both ends. */
  readonly times: readonly [from: number, to: number]
}

/** The steps of levels. */
export const spansOf = (levels: Levels): readonly Span[] => {
  const points = pointsOf(levels)
  const time = Array.from(levels.time)
  return points.slice(1).map((to, i) => ({ from: at(points, i), to, times: [at(time, i), at(time, i + 1)] }))
}

/** What a sampler may be told of the clock of its network. */
export interface ClockOptions {
  /**
   * The time that the network is told at a σ between levels: for a schedule σ ↦ `timeAtSigma(schedule, σ)`. By default it is read from the levels next to
   * it: their times are σ, or t of a flow, or lie on a straight line in ln σ.
   */
  readonly timeOf?: (sigma: number) => number
}

/** The time at a point within a step. */
export const timeWithin = ({ from, to, times: [begin, end] }: Span, point: Point, { timeOf }: ClockOptions): number => {
  if (timeOf !== undefined) return timeOf(point.s / point.a)
  if (begin === from.s && end === to.s) return point.s // of variance-exploding levels σ, of a flow t
  return begin + ((lambda(point) - lambda(from)) / (lambda(to) - lambda(from))) * (end - begin)
}

/** The sampler of stages; levels are where it ends. */
export const staged = (
  who: string,
  {
    levels,
    stages,
    kept,
    depth,
  }: { readonly levels: Levels; readonly stages: readonly Stage[]; readonly kept: number; readonly depth: number },
): Sampler<MultistepState> => {
  const last = at(pointsOf(levels), stepsOf(levels))
  const points = [...stages.map((stage) => stage.at), last]
  const times = [...stages.map(({ time }) => time), levels.time[stepsOf(levels)] ?? NaN]
  return multistep(who, {
    levels: {
      ...tablesOf(points),
      time: levels.time instanceof Int32Array ? timesOf(times) : Float64Array.from(times),
    },
    kept,
    depth,
    entry: (i, known, terms) => {
      const { after, make } = at(stages, i)
      return known < after ? { next: straight(terms, at(points, i + 1)), kept: terms.kept } : make(terms, known)
    },
  })
}
