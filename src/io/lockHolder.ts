/** What stands in a lock: who holds it. */
import { E } from '../prelude/fp.ts'
import { isRecord } from '../prelude/record.ts'

/** A process that holds a run. */
export type Holder = {
  readonly pid: number
  /** Differs between two processes that had the same number; undefined where the system did not tell. */
  readonly startTime: string | undefined
  /** Where the number means something; undefined where the system did not tell. */
  readonly place: string | undefined
  /** Differs between any two locks. */
  readonly token: string
}

/** The text of a lock; it begins with a brace, and has one line. */
export const holderText = (holder: Holder): string => `${JSON.stringify(holder)}\n`

const optionalText = (x: unknown): string | undefined => (typeof x === 'string' ? x : undefined)

/** A token goes into a file's name. */
const isToken = (x: unknown): x is string => typeof x === 'string' && /^[\w-]{1,64}$/.test(x)

/** The holder that a lock names; undefined when the text is no lock's, cut short by a kill for instance. */
export const parseHolder = (text: string): Holder | undefined => {
  const parsed = E.tryCatch(
    () => JSON.parse(text) as unknown,
    () => undefined,
  )
  if (E.isLeft(parsed) || !isRecord(parsed.right)) return undefined
  const { pid, startTime, place, token } = parsed.right
  return typeof pid === 'number' && isToken(token)
    ? { pid, startTime: optionalText(startTime), place: optionalText(place), token }
    : undefined
}

/** The machine's name in a place, for people. */
export const hostOf = ({ place }: Holder): string => place?.split(' ')[0] ?? 'unknown'
