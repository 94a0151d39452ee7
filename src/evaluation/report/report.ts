/** The report: one page that needs nothing beside it, and no script. */
import { requireKnown } from '../../prelude/options.ts'
import { encodePng } from '../../io/png.ts'
import { keysOf } from '../../prelude/record.ts'
import type { Judgement, SetName } from '../judgement.ts'
import { asRgb, type Pictures } from '../pictures.ts'
import { base64, escaped, shown, shownP } from './html.ts'
import { lossChart, type LevelLoss } from './lossChart.ts'
import { groupsOf, setNames, type Group, type Measure } from './measures.ts'
import { legendMark, strip } from './strip.ts'
import { style } from './style.ts'
import { alarmBelow, sentencesOf } from './words.ts'

/** What the page shows. */
export interface ReportOptions {
  readonly title: string
  /** A line below it: what drew the pictures, and how. */
  readonly facts: string
  readonly judgement: Judgement
  readonly generated: Pictures
  /** The training pictures that were judged by, in the same order. */
  readonly training: Pictures
  readonly lossByLevel?: readonly LevelLoss[]
  /** How many pictures the gallery shows, those nearest to training first; default 96. */
  readonly shownPictures?: number
}

const optionNames = ['title', 'facts', 'judgement', 'generated', 'training', 'lossByLevel', 'shownPictures'] as const

const pill = (p: number, alarm: boolean): string => `<span class="p ${alarm ? 'alarm' : 'calm'}">${shownP(p)}</span>`

const valueOf = ({ values, digits, unit }: Measure, set: SetName): string => {
  const found = values.find(([name]) => name === set)
  return found === undefined ? '' : `${shown(found[1], digits)}${unit === '' ? '' : ` ${escaped(unit)}`}`
}

const measureRow = (measure: Measure): string =>
  [
    `<tr><td>${escaped(measure.name)}</td><td class="mark">${strip(measure)}</td>`,
    `<td>${valueOf(measure, 'generated')}</td><td>${valueOf(measure, 'real')}</td>`,
    `<td>${measure.p === undefined ? '' : pill(measure.p, measure.p < alarmBelow)}</td></tr>`,
  ].join('')

const groupSection = ({ title, words, measures }: Group): string => `<section>
<h2>${escaped(title)}</h2>
<p class="soft">${escaped(words)}</p>
<div class="wide"><table><thead><tr><th></th><th></th><th>generated</th><th>other real</th><th>p</th></tr></thead>
<tbody>${measures.map(measureRow).join('\n')}</tbody></table></div>
</section>`

const legend = ({ sets }: Judgement): string =>
  `<ul class="legend">${keysOf(setNames)
    .filter((name) => sets[name] !== undefined)
    .map((name) => `<li>${legendMark(name)}${escaped(setNames[name])}</li>`)
    .join('')}</ul>`

const testSection = ({ tests, permutations }: Judgement): string => `<section>
<h2>All tests</h2>
<p class="soft">p is the chance of a score so bad, were the generated pictures real ones, by ${permutations} random exchanges of the labels (copies: Fisher’s exact test). Adjusted for the number of tests by Holm’s method: below ${alarmBelow} is an alarm.</p>
<div class="wide"><table><thead><tr><th>test</th><th>p</th><th>adjusted</th></tr></thead>
<tbody>${tests
  .toSorted((a, b) => a.p - b.p)
  .map(
    ({ name, p, adjusted }) =>
      `<tr><td>${escaped(name)}</td><td>${shownP(p)}</td><td>${pill(adjusted, adjusted < alarmBelow)}</td></tr>`,
  )
  .join('\n')}</tbody></table></div>
</section>`

const lossSection = (levels: readonly LevelLoss[]): string => `<section>
<h2>The loss by level of noise</h2>
<p class="soft">Of pictures of training (blue) and of those held out (orange), with the same noise. Where the two part, the model has begun to learn its pictures by heart. Only compare runs of one objective and schedule.</p>
${lossChart(levels)}
</section>`

/** The pictures of a set as data addresses, each encoded once. */
const addresses = (set: Pictures): ((place: number) => string) => {
  const known = new Map<number, string>()
  const { height, width, pictures } = asRgb(set)
  return (place) => {
    const found = known.get(place)
    if (found !== undefined) return found
    const pixels = pictures[place] ?? new Uint8Array(height * width * 3)
    const address = `data:image/png;base64,${base64(encodePng({ height, width, channels: 3, pixels }))}`
    known.set(place, address)
    return address
  }
}

const gallery = ({ judgement, generated, training, shownPictures = 96 }: ReportOptions): string => {
  const [drawn, seen] = [addresses(generated), addresses(training)]
  const shape = `${judgement.width} / ${judgement.height}`
  const figures = judgement.nearest.slice(0, shownPictures).map(({ sample, place, byFeatures, ratio, copy }) => {
    const image = (source: string, words: string): string => `<img src="${source}" alt="${words}">`
    const images = [
      image(drawn(sample), `generated ${sample}`),
      image(seen(place), 'nearest of training in pixels'),
      image(seen(byFeatures), 'nearest of training in features'),
    ]
    const words = `${copy ? 'copy · ' : ''}${shown(ratio, 2)} of the next`
    return `<figure class="${copy ? 'copy' : ''}"><div>${images.join('')}</div><figcaption>${words}</figcaption></figure>`
  })
  return `<section style="--shape: ${shape}">
<h2>Each picture beside the nearest of training</h2>
<p class="soft">Generated, then the nearest photograph in pixels (flips, small shifts and other light do not count), then the nearest in features. Those that are nearest come first; the number is that distance over the distance of the next photograph, and below 0.33 a picture is called a copy. Look for yourself: no number tells learning from remembering with certainty.</p>
<div class="gallery">${figures.join('\n')}</div>
</section>`
}

/**
 * A judgement as a page: sentences, every score beside sets of known quality, all tests, and a gallery.
 *
 * @returns HTML with its style and pictures inside
 * @example
 * ```ts
 * import { seas } from 'fathom/data'
 * import { judge, judgementPage } from 'fathom/evaluation'
 *
 * const data = seas({ seed: 1, size: 16 })
 * const of = (first: number, count: number) => ({
 *   height: 16, width: 16, channels: 3, pictures: Array.from({ length: count }, (_, i) => data.image(first + i)),
 * })
 * const [generated, training] = [of(900, 16), of(0, 48)]
 * const judgement = await judge(device, { generated, training, heldOut: of(100, 8), permutations: 99 })
 * const page = judgementPage({ title: 'Seas', facts: 'drawn for an example', judgement, generated, training })
 * page.startsWith('<!doctype html>') // => true
 * ```
 */
export const judgementPage = (options: ReportOptions): string => {
  requireKnown('judgementPage', options, optionNames)
  const { title, facts, judgement, lossByLevel } = options
  const { count, training, heldOut, height, width, seed, spaces } = judgement
  const about = `${count} generated pictures of ${width}×${height} against ${count} real ones, of ${training} of training and ${heldOut} held out · seed ${seed} · features: ${spaces.map(({ name, version, about: words }) => `${name} ${version} (${words})`).join(', ')}`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><style>${style}</style></head>
<body><main>
<h1>${escaped(title)}</h1>
<p class="facts">${escaped(facts)}<br>${escaped(about)}</p>
<div class="hero">${sentencesOf(judgement)
    .map((sentence) => `<p>${escaped(sentence)}</p>`)
    .join('')}</div>
${legend(judgement)}
${groupsOf(judgement).map(groupSection).join('\n')}
${lossByLevel === undefined ? '' : lossSection(lossByLevel)}
${gallery(options)}
${testSection(judgement)}
</main></body></html>
`
}
