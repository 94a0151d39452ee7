/**
 * Why a file of a folder is not used, and what a person can do about it. A total table: a reason without advice does
 * not compile.
 */

/** Everything that can keep a file from being used. */
export type SkipReason =
  | 'empty'
  | 'truncated'
  | 'corrupt'
  | 'text'
  | 'web-page'
  | 'git-lfs-pointer'
  | 'heic'
  | 'camera-raw'
  | 'unsupported-image'
  | 'unsupported-samples'
  | 'video'
  | 'not-an-image'
  | 'too-many-pixels'
  | 'too-many-bytes'
  | 'too-small'
  | 'too-slow'
  | 'out-of-memory'
  | 'unreadable'
  | 'missing'
  | 'changed'
  | 'name-not-utf8'
  | 'special-file'
  | 'link-broken'
  | 'link-loop'
  | 'link-outside'
  | 'link-duplicate'

/** What was found wrong with one file. */
export interface Fault {
  readonly reason: SkipReason
  /** What the bytes turned out to be: `JPEG`, `HEIC`, `text`, `folder` …; `file` when nobody could tell. */
  readonly kind: string
  /** One sentence of facts about this very file. */
  readonly detail: string
}

interface ReasonText {
  /** How a table names the reason. */
  readonly label: string
  /** What to do now. */
  readonly advice: string
  /** The next opening may not find it again: it is tried anew, and never remembered as a property of the file. */
  readonly passing?: true
}

/** Label and advice of every reason. */
export const skipReasons: { readonly [R in SkipReason]: ReasonText } = {
  empty: { label: 'empty', advice: 'The file has no bytes: copy it again from where it came, or delete it.' },
  truncated: {
    label: 'truncated',
    advice: 'The file was cut off, as by an interrupted download or copy: fetch it again.',
  },
  corrupt: { label: 'corrupt', advice: 'Open it in a picture viewer and save it anew, or fetch it again.' },
  text: {
    label: 'text',
    advice: 'This is text, whatever its name says: move it out of the folder, or fetch the picture again.',
  },
  'web-page': {
    label: 'web page',
    advice: 'A download stored an error page instead of the picture: fetch the picture again.',
  },
  'git-lfs-pointer': {
    label: 'Git LFS pointer',
    advice: 'Run `git lfs pull` in that repository to fetch the picture itself.',
  },
  heic: {
    label: 'HEIC',
    advice:
      'Run `npm install libheif-js@1.23.2` to read HEIC, or convert to JPEG; on macOS: ' +
      '`mkdir -p jpeg && sips -s format jpeg *.HEIC --out jpeg` (elsewhere: `heif-convert`).',
  },
  'camera-raw': { label: 'camera raw', advice: 'Develop it to JPEG, PNG or TIFF with your photo program.' },
  'unsupported-image': {
    label: 'unsupported picture format',
    advice: 'Convert it to PNG, JPEG, HEIC, WebP, TIFF, AVIF or GIF.',
  },
  'unsupported-samples': {
    label: 'unsupported samples',
    advice: 'Save it with 8 or 16 bits a channel as sRGB or grey (PNG, TIFF or JPEG), as a person is to see it.',
  },
  video: { label: 'video', advice: 'Extract stills, for example `ffmpeg -i FILE -vf fps=1 still-%04d.png`.' },
  'not-an-image': { label: 'not a picture', advice: 'Nothing to do; move it out of the folder to silence this line.' },
  'too-many-pixels': {
    label: 'too many pixels',
    advice: 'Make it smaller, or raise the limit (maxPixels) if you trust the file and have the memory.',
  },
  'too-many-bytes': {
    label: 'too large a file',
    advice: 'Make it smaller, or raise the limit (maxBytes) if you have the memory.',
  },
  'too-small': {
    label: 'too small',
    advice: 'Train at a smaller size, or raise the limit (maxEnlargement) and accept blur.',
  },
  'too-slow': {
    label: 'too slow to decode',
    advice: 'Open it in a picture viewer and save it anew, or raise the limit (timeoutSeconds).',
    passing: true,
  },
  'out-of-memory': {
    label: 'too little memory',
    advice: 'Close other programs and run again, or make the picture smaller.',
    passing: true,
  },
  unreadable: {
    label: 'unreadable',
    advice: 'Check the permissions (`ls -l`), the disk and the network drive.',
    passing: true,
  },
  missing: {
    label: 'not there',
    advice: 'Check the name: it may have been deleted or renamed meanwhile.',
    passing: true,
  },
  changed: {
    label: 'changed while reading',
    advice: 'Something still writes to the folder: wait until it is done and run again.',
    passing: true,
  },
  'name-not-utf8': {
    label: 'name is not UTF-8',
    advice: 'Rename it, for example with `convmv -f latin1 -t utf8 --notest FILE`.',
  },
  'special-file': { label: 'special file', advice: 'A pipe, socket or device is never opened: nothing to do.' },
  'link-broken': { label: 'broken link', advice: 'Its target is gone: delete the link or restore the target.' },
  'link-loop': { label: 'link loop', advice: 'It leads back to a folder that contains it: delete the link.' },
  'link-outside': {
    label: 'link out of the folder',
    advice: 'Copy the target into the folder, or allow it (followLinks).',
  },
  'link-duplicate': {
    label: 'link to a known file',
    advice: 'Its target is in the folder already and counts once: nothing to do.',
  },
}

/** Whether a fault is of the moment and not of the file. */
export const isTransient = (reason: SkipReason): boolean => skipReasons[reason].passing === true

/**
 * Whether a reason says that a picture was lost, so that links that repeat or leave the folder do not count as damage.
 */
export const isLoss = (reason: SkipReason): boolean => !reason.startsWith('link-')
