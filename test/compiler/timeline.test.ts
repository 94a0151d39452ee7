/** The timeline: what it says of memory while kernels are joined, and that this takes no look at places where nothing changes. */
import { describe, expect, it } from 'vitest'
import type { Buffer } from '../../src/compiler/buffer.ts'
import { groupKernels } from '../../src/compiler/group.ts'
import type { ElementwiseKernel } from '../../src/compiler/kernel.ts'
import { usualLimits } from '../../src/compiler/limits.ts'
import { deathOf, heldUntil, join, timelineOf, type Timeline } from '../../src/compiler/timeline.ts'
import { contiguous } from '../../src/compiler/view.ts'

const length = 16
const bytes = 4 * length

const temporaries = (count: number): readonly Buffer[] =>
  Array.from({ length: count }, () => ({ dtype: 'f32', length, placement: { kind: 'temporary', offset: 0 } }))

/** A kernel that reads some buffers and writes one. */
const kernel = (reads: readonly number[], output: number): ElementwiseKernel => ({
  kind: 'elementwise',
  body: {
    size: length,
    instructions: [
      ...reads.map((buffer) => {
        const view = contiguous([length])
        return { kind: 'load', from: { buffer, view, dtype: 'f32' }, dtype: 'f32' } as const
      }),
      { kind: 'apply', op: 'neg', inputs: [0], dtype: 'f32' },
    ],
  },
  output,
  dtype: 'f32',
  computes: 'neg',
  reason: 'output',
  flops: length,
})

/** Kernels in a row: each reads buffer 0, which the first writes, and what the one before it has written. */
const chain = (count: number): Timeline =>
  timelineOf([kernel([], 0), ...Array.from({ length: count - 1 }, (_, i) => kernel([0, i], i + 1))], temporaries(count))

/** Bytes that live at each place, counted anew. */
const counted = (timeline: Timeline): readonly number[] =>
  timeline.live.map((_, place) =>
    [...timeline.writer].reduce(
      (sum, [buffer, birth]) => sum + (birth <= place && place <= deathOf(timeline, buffer) ? bytes : 0),
      0,
    ),
  )

/** Joins the kernels that write buffers `i` and `i + 1`, so that `i` is written no more. */
const joinAt = (timeline: Timeline, i: number, place: number): boolean =>
  join(timeline, Infinity, { kernel: kernel([0, i - 1], i + 1), places: [i, i + 1], place, extensions: [] })

describe('a timeline', () => {
  it('counts a buffer from where it is written to where it is read last', () => {
    expect(chain(4).live).toEqual([bytes, 2 * bytes, 3 * bytes, 3 * bytes])
  })

  it('counts the same after kernels have been joined as if it had been made of the joined ones', () => {
    const timeline = chain(12)
    expect([joinAt(timeline, 2, 3), joinAt(timeline, 6, 6), joinAt(timeline, 9, 10)]).toEqual([true, true, true])
    expect(timeline.live).toEqual(counted(timeline))
  })

  it('holds temporaries for a kernel that runs later, and nothing that lies elsewhere', () => {
    const buffers: readonly Buffer[] = [
      { dtype: 'f32', length, placement: { kind: 'argument', index: 0 } },
      ...temporaries(3),
    ]
    const kernels = [kernel([0], 1), kernel([0, 1], 2), kernel([0, 2], 3)]
    const held = heldUntil(timelineOf(kernels, buffers), kernel([0, 1], 2), 2)
    expect(held).toEqual([{ buffer: 1, from: 2, to: 2 }])
  })

  it('writes only where a life begins or ends elsewhere, however long lives are', () => {
    const writes = (count: number): number => {
      const plain = chain(count)
      let written = 0
      const live = new Proxy(plain.live, {
        set: (target, key, value) => {
          written += 1
          return Reflect.set(target, key, value)
        },
      })
      joinAt({ ...plain, live }, count / 2, count / 2 + 1)
      return written
    }
    expect(writes(4000)).toBe(writes(40))
    expect(writes(40)).toBeLessThan(8)
  })
})

describe('making groups', () => {
  it('looks at buffers as often for each kernel, however large the groups are', () => {
    const looks = (count: number): number => {
      let seen = 0
      const plain: readonly Buffer[] = Array.from({ length: 2 * count }, (_, i) => ({
        dtype: 'f32',
        length,
        placement: i < count ? { kind: 'argument', index: i } : { kind: 'output', index: i - count },
      }))
      const buffers = new Proxy(plain, {
        get: (target, key) => {
          seen += 1
          return Reflect.get(target, key) as unknown
        },
      })
      const kernels = Array.from({ length: count }, (_, i) => kernel([i], count + i))
      const timeline = timelineOf(kernels, buffers)
      seen = 0
      groupKernels(timeline, usualLimits, new Map())
      expect(timeline.kernels.filter((k) => k !== undefined).map((k) => k.computes)).toEqual([`${count} × neg`])
      return seen / count
    }
    expect(looks(400)).toBeLessThan(1.2 * looks(40))
  })
})
