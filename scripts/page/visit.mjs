/** Serves a page to a headless Chromium, and hears what it reports. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { text } from 'node:stream/consumers'

/** What isolates a page from other origins: only then it has shared memory. */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

const types = { '.html': 'text/html', '.js': 'text/javascript' }

/** Serves files; `heard` gets what is posted. */
const serve = async (files, headers, heard) => {
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') {
      heard(JSON.parse(await text(request)))
      response.writeHead(204).end()
      return
    }
    const name = request.url === '/' ? 'index.html' : request.url.slice(1)
    const file = files.get(name)
    response.writeHead(file === undefined ? 404 : 200, {
      ...headers,
      'Content-Type': types[extname(name)] ?? 'text/plain',
    })
    response.end(file)
  })
  await new Promise((resolve) => server.listen(0, 'localhost', resolve))
  return server
}

/** Neither a display nor a sandbox, as in a container; and no traffic but with the page's server. */
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--enable-logging=stderr',
]

const patience = 180_000

/**
 * Opens the page in a new profile. Resolves when it is done, rejects when it fails, or is silent.
 *
 * @param isolated whether the server isolates it
 * @param heard called with each report
 */
export const visit = async (browser, files, isolated, heard) => {
  const profile = mkdtempSync(join(tmpdir(), 'fathom-page-'))
  let ended
  const end = new Promise((resolve, reject) => {
    ended = { resolve, reject }
  })
  const server = await serve(files, isolated ? isolation : {}, (report) => {
    try {
      if (report.kind === 'done') ended.resolve()
      else if (report.kind === 'failed') throw new Error(`page: ${report.where} failed: ${report.why}`)
      else heard(report)
    } catch (error) {
      ended.reject(error)
    }
  })
  const child = spawn(browser, [...flags, `--user-data-dir=${profile}`, `http://localhost:${server.address().port}/`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const said = []
  child.stderr.on('data', (data) => said.push(data))
  const closed = new Promise((resolve) => child.once('close', resolve))
  const why = (what) => {
    const lines = Buffer.concat(said).toString().split('\n')
    const own = lines.filter((line) => line.includes('CONSOLE'))
    return new Error(`page: ${what}; it said:\n${(own.length > 0 ? own : lines.slice(-20)).join('\n')}`)
  }
  child.once('error', ended.reject)
  child.once('exit', (code) => ended.reject(why(`${browser} ended with ${code}`)))
  const timer = setTimeout(() => ended.reject(why(`no end after ${patience / 1000} s`)), patience)
  try {
    await end
  } finally {
    clearTimeout(timer)
    child.kill()
    await closed
    server.closeAllConnections()
    server.close()
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}
