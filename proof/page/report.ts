/** What the threads of a page tell their server, scripts/page.mjs. */

/** A report. */
export type Report =
  /** The server compares the line with those of Node. */
  | { readonly kind: 'computed'; readonly line: string }
  /** The server prints the line. */
  | { readonly kind: 'found'; readonly line: string }
  /** The server draws from the file, as a person would. */
  | { readonly kind: 'weights'; readonly name: string; readonly base64: string }
  | { readonly kind: 'failed'; readonly why: string }
  /** Nothing comes after it. */
  | { readonly kind: 'done' }

/** The thread that reports. */
const where = `${crossOriginIsolated ? 'an isolated' : 'a plain'} page's ${'document' in globalThis ? 'own thread' : 'Worker'}`

/** Tells the server. */
export const report = async (message: Report): Promise<void> => {
  await fetch('/report', { method: 'POST', body: JSON.stringify({ where, ...message }) })
}

/** Reports lines as they come. */
export const reportAll = async (lines: AsyncIterable<string>): Promise<void> => {
  for await (const line of lines) await report({ kind: 'computed', line })
}

/** Does the work; reports why if it fails. */
export const reportingFailure = async (work: () => Promise<void>): Promise<void> => {
  try {
    await work()
  } catch (error) {
    await report({ kind: 'failed', why: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}
