import { describe, expect, it } from 'vitest'
import { lineChart, type LineChart } from '../../src/io/lineChart.ts'

const chart = (points: readonly (readonly [number, number])[], more: Partial<LineChart> = {}): string =>
  lineChart({ title: 'Loss', xLabel: 'step', yLabel: 'loss', series: [{ name: 'training', points }], ...more })

const labels = (svg: string): readonly string[] => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map((m) => m[1] ?? '')
const circles = (svg: string): readonly (readonly [number, number])[] =>
  [...svg.matchAll(/<circle cx="([^"]*)" cy="([^"]*)"/g)].map((m) => [Number(m[1]), Number(m[2])])

describe('lineChart', () => {
  it.each([[false], [true]])('says that there is no data yet when nothing can be drawn (log %s)', (logY) => {
    for (const svg of [
      chart([], { logY }),
      chart(
        [
          [1, NaN],
          [Infinity, 1],
        ],
        { logY },
      ),
      lineChart({ title: '', xLabel: '', yLabel: '', series: [], logY }),
    ]) {
      expect(svg).toContain('no data yet')
      expect(svg).not.toMatch(/NaN|Infinity|undefined/)
    }
  })

  it('draws one point in the middle as a dot', () => {
    expect(circles(chart([[5, 0.3]]))).toEqual([[444, 244]])
    expect(circles(chart([[0, 0]]))).toHaveLength(1)
  })

  it.each([[false], [true]])('keeps every coordinate inside the frame and finite (log %s)', (logY) => {
    const samples: readonly (readonly (readonly [number, number])[])[] = [
      [
        [0, 1],
        [1, 1],
      ],
      [
        [0, 1e-30],
        [1, 1e30],
      ],
      [
        [3, 0.1],
        [3, 0.2],
      ],
      [
        [1, 5],
        [2, NaN],
        [3, 4],
      ],
      [
        [-5, 1e-9],
        [1e12, 2e-9],
      ],
      [
        [0, 1e9],
        [1, 1e9 + 1e-6],
      ],
    ]
    for (const points of samples) {
      const svg = chart(points, { logY })
      expect(svg).not.toMatch(/NaN|Infinity|undefined/)
      for (const [x, y] of circles(svg)) {
        expect(x >= 72 && x <= 816).toBe(true)
        expect(y >= 84 && y <= 404).toBe(true)
      }
    }
  })

  it('leaves out what is not finite, and what is not positive on a log axis', () => {
    expect(
      circles(
        chart([
          [0, 1],
          [1, NaN],
          [2, Infinity],
          [3, 2],
        ]),
      ),
    ).toHaveLength(2)
    expect(
      circles(
        chart(
          [
            [0, 1],
            [1, 0],
            [2, -1],
            [3, 2],
          ],
          { logY: true },
        ),
      ),
    ).toHaveLength(2)
  })

  it('thins 100,000 points, keeps the one spike among them, and smooths', () => {
    const points = Array.from({ length: 100_000 }, (_, i) => [i, i === 54_321 ? 1 : 0.1] as const)
    const svg = chart(points)
    expect(svg.length).toBeLessThan(100_000)
    const [raw = '', smooth = ''] = [...svg.matchAll(/<path d="(M[^"]*L[^"]*)"/g)].map((m) => m[1] ?? '')
    const top = (d: string): number => Math.min(...[...d.matchAll(/ ([\d.]+)/g)].map((m) => Number(m[1])))
    expect(top(raw)).toBeLessThan(110)
    expect(top(smooth)).toBeGreaterThan(300)
  })

  it('puts ticks at 1, 2 and 5 times powers of ten', () => {
    expect(
      labels(
        chart([
          [0, 0],
          [20_000, 1],
        ]),
      ),
    ).toEqual(expect.arrayContaining(['0', '5000', '10k', '15k', '20k', '0.2', '0.4', '1']))
    expect(
      labels(
        chart(
          [
            [0, 0.01],
            [1, 1],
          ],
          { logY: true },
        ),
      ),
    ).toEqual(expect.arrayContaining(['0.01', '0.02', '0.05', '0.1', '0.5', '1', 'loss (log)']))
  })

  it('escapes names', () => {
    const svg = chart([[0, 1]], { title: '<a & "b">' })
    expect(svg).not.toContain('<a &')
    expect(svg).toContain('&#60;a &#38; &#34;b&#34;&#62;')
  })

  it('names every series in the legend and draws each in another colour', () => {
    const svg = lineChart({
      title: '',
      xLabel: '',
      yLabel: '',
      series: ['training', 'held-out'].map((name) => ({ name, points: [[0, 1]] })),
    })
    expect(labels(svg)).toEqual(expect.arrayContaining(['training', 'held-out']))
    expect(new Set([...svg.matchAll(/<circle[^>]*fill="([^"]*)"/g)].map((m) => m[1])).size).toBe(2)
  })

  it('puts panels below in rows of three, each with its name and an axis of its own, and changes nothing above them', () => {
    const points = [
      [0, 1],
      [1, 2],
    ] as const
    const panels = ['a', 'b', 'c', 'd'].map((name) => ({ name, points }))
    const svg = chart(points, { panels })
    expect(svg).toContain('viewBox="0 0 840 840"')
    const places = [...svg.matchAll(/<text x="([^"]*)" y="([^"]*)" font-weight="600"[^>]*>([abcd]) \(log\)</g)]
    expect(places.map(([, x, y, name]) => [name, Number(x), Number(y)])).toEqual([
      ['a', 60, 488],
      ['b', 340, 488],
      ['c', 620, 488],
      ['d', 60, 678],
    ])
    const plain = chart(points).split('\n')
    expect(svg.split('\n').slice(2, plain.length - 2)).toEqual(plain.slice(2, -2)) // between the page's own lines
  })

  it.each([
    ['logarithmic where nothing is below 0', [1, 0, 3], ' (log)', 2],
    ['linear where something is', [1, -1, 3], '', 3],
    ['linear where all is 0', [0, 0, 0], '', 3],
  ])('draws a panel %s', (_, values, said, dots) => {
    const points = values.map((y, x) => [x, y] as const)
    const svg = chart([], { panels: [{ name: 'part', points }] })
    expect(labels(svg)).toContain(`part${said}`)
    expect(circles(svg)).toHaveLength(dots)
    expect(svg).not.toMatch(/NaN|Infinity/)
  })
})
