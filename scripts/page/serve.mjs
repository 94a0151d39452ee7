/** Serves files of a bundle to a browser on this machine. */
import { createServer } from 'node:http'
import { extname } from 'node:path'
import { text } from 'node:stream/consumers'

/** What isolates a page from other origins: only then it has shared memory. */
export const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }

/**
 * Serves files by name, on localhost.
 *
 * @param heard gets what is posted
 * @param port 0 for one that is free
 */
export const serve = async (files, headers, { heard, port = 0 } = {}) => {
  const server = createServer(async (request, response) => {
    if (request.method === 'POST' && heard !== undefined) {
      heard(JSON.parse(await text(request)))
      response.writeHead(204).end()
      return
    }
    const { pathname } = new URL(request.url, 'http://localhost')
    const name = pathname === '/' ? 'index.html' : pathname.slice(1)
    const file = files.get(name)
    response.writeHead(file === undefined ? 404 : 200, {
      ...headers,
      'Content-Type': types[extname(name)] ?? 'text/plain',
    })
    response.end(file)
  })
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, 'localhost', resolve))
  return server
}
