/**
 * Names that are left out without a word, because no person put them there as pictures: what systems, phones, cameras'
 * programs and network drives keep beside photographs. A deleted photograph in a hidden trash is not a photograph to
 * train on.
 */
import type { EntryKind } from './folderReader.node.ts'

/** Why a name is left out; also how the report counts it. */
export type IgnoredKind = 'system files' | 'thumbnails' | 'deleted' | 'not yet written' | 'hidden folders'

interface Rule {
  readonly kind: IgnoredKind
  /** Where the rule holds: names of folders, or of anything. */
  readonly only?: 'folder'
  /** Whole names, in lower case. */
  readonly names?: readonly string[]
  /** How names begin, in lower case. */
  readonly prefixes?: readonly string[]
}

const rules: readonly Rule[] = [
  {
    kind: 'system files',
    names: [
      '.ds_store', // macOS: how a window looked
      '.localized',
      '.apdisk',
      'icon\r',
      'desktop.ini', // Windows: how a folder looks
      '.directory', // KDE
      '.nomedia', // Android
      '.picasa.ini',
      'picasa.ini',
      'system volume information',
    ],
    prefixes: ['._'], // macOS: what a foreign drive cannot store of a file
  },
  { kind: 'system files', only: 'folder', names: ['__macosx'] }, // macOS: the same, in ZIP files
  { kind: 'thumbnails', names: ['thumbs.db', 'ehthumbs.db', 'ehthumbs_vista.db'] }, // Windows
  { kind: 'thumbnails', only: 'folder', names: ['@eadir', '.thumbnails', '.@__thumb'] }, // Synology, phones, QNAP
  { kind: 'deleted', prefixes: ['.trashed-'] }, // Android: a photograph in the bin for 30 days
  {
    kind: 'deleted',
    only: 'folder',
    names: ['.trash', '.trashes', '$recycle.bin', 'recycler', '#recycle', '@recycle', 'lost+found'],
    prefixes: ['.trash-'],
  },
  { kind: 'not yet written', prefixes: ['.pending-', '.syncthing.', '~syncthing~'] }, // Android's camera; Syncthing
  { kind: 'hidden folders', only: 'folder', prefixes: ['.'] },
]

/** Why a name is left out; `undefined` when it is to be looked at. */
export const ignoredKind = (name: string, kind: EntryKind): IgnoredKind | undefined => {
  const lower = name.toLowerCase()
  return rules.find(
    ({ only, names, prefixes }) =>
      (only === undefined || kind === only) &&
      (names?.includes(lower) === true || prefixes?.some((prefix) => lower.startsWith(prefix)) === true),
  )?.kind
}
