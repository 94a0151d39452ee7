/** Where files lie that can be made again at any time: by the XDG specification, by which a relative path is to be ignored. */
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import process from 'node:process'

/** The folder of fathom in the user's cache: `$XDG_CACHE_HOME/fathom`, or `~/.cache/fathom`. */
export const userCache = (...names: readonly string[]): string => {
  const xdg = process.env['XDG_CACHE_HOME']
  return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), '.cache'), 'fathom', ...names)
}
