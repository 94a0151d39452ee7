/** Bugs in what is read from a folder of photographs, and in what is kept of it. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const area = 'photographs'
const folder = 'src/data/folder'
const damage = inFile('data/folder/damage')
const samples = inFile('data/folder/samples')
const findings = inFile('data/folder/findings')
const sweep = inFile('data/folder/cacheSweep')
const heic = inFile('data/folder/heic')

/** Bugs in src/data/folder. */
export const photographMutants: readonly Mutant[] = [
  ...mutantsOf(area, `${folder}/decodePixels.node.ts`, damage, [
    ['a JPEG that was cut and closed passes for whole', 'missing check', "  jpeg: 'warning',", "  jpeg: 'error',"],
    [
      'a small JPEG is shrunk while it is decoded, and its last rows are not looked at',
      'missing check',
      'header.height <= shrunkRows',
      'header.height <= 0',
    ],
    [
      'a WebP is not tried without its last bytes',
      'missing check',
      "format === 'webp' ? webpToDoubt(bytes)",
      "format === 'gif' ? webpToDoubt(bytes)",
    ],
    ['a mask is taken for opacity', 'missing check', 'if (!inP3 && !idleChannel)', 'if (!inP3)', samples],
    [
      'the profile of a HEIC is lost',
      'missing term',
      ', icc), profile: icc !== undefined }',
      ', undefined), profile: false }',
      heic,
    ],
  ]),
  ...mutantsOf(area, `${folder}/decodeImage.node.ts`, damage, [
    [
      'a picture that took too long is called damaged',
      'missing check',
      '/timeout|killed for image/i.test(all)',
      '/timeout/i.test(message)',
    ],
  ]),
  ...mutantsOf(area, `${folder}/samples.ts`, samples, [
    ['a PNG of linear light is decoded', 'missing check', 'usualGamma - 1) > 0.1', 'usualGamma - 1) > 10'],
    ['TIFF with YCbCr is taken for RGB', 'missing check', 'compression !== 7', 'compression === 0'],
  ]),
  ...mutantsOf(area, `${folder}/runFolder.node.ts`, findings, [
    [
      'every folder with a config.json and samples is taken for a run',
      'missing check',
      'return isConfiguration(',
      'return true || isConfiguration(',
    ],
  ]),
  ...mutantsOf(area, `${folder}/duplicates.node.ts`, findings, [
    [
      'files with equal ends are taken for equal',
      'missing check',
      'for (const parts of [edges, all])',
      'for (const parts of [edges, edges])',
    ],
  ]),
  ...mutantsOf(area, `${folder}/folderPack.node.ts`, sweep, [
    [
      'what is decoded late takes the place of another picture',
      'swapped operands',
      'places.get(path) ?? -1',
      '(places.get(path) ?? -1) - 1',
    ],
    [
      'what failed for a moment is never tried again',
      'missing check',
      'if (passing(found.right).length > 0)',
      'if (passing(found.right).length < 0)',
    ],
  ]),
  ...mutantsOf(area, `${folder}/processPlace.node.ts`, sweep, [
    ['a process of another container is judged by its number', 'missing check', ' || place !== processPlace()', ''],
  ]),
]
