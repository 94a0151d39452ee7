/** Opens a page in a headless Chromium, and hears what it reports. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isolation, serve } from './serve.mjs'

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
  '--enable-unsafe-webgpu', // without it Chromium gives a page no adapter that computes on a cpu
]

/**
 * Opens a page in a new profile. Resolves when it is done, rejects when it fails, or is silent.
 *
 * @param isolated whether the server isolates it
 * @param page its address below the server's, with what it is told
 * @param patience seconds until a page that is not done has failed
 * @param heard called with each report
 */
export const visit = async (browser, files, { isolated, page = '', patience = 180 }, heard) => {
  const profile = mkdtempSync(join(tmpdir(), 'fathom-page-'))
  let ended
  const end = new Promise((resolve, reject) => {
    ended = { resolve, reject }
  })
  const take = (report) => {
    try {
      if (report.kind === 'done') ended.resolve()
      else if (report.kind === 'failed') throw new Error(`page: ${report.where} failed: ${report.why}`)
      else heard(report)
    } catch (error) {
      ended.reject(error)
    }
  }
  const server = await serve(files, isolated ? isolation : {}, { heard: take })
  const address = `http://localhost:${server.address().port}/${page}`
  const child = spawn(browser, [...flags, `--user-data-dir=${profile}`, address], {
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
  const timer = setTimeout(() => ended.reject(why(`no end after ${patience} s`)), patience * 1000)
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
