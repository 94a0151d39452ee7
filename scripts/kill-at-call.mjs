/**
 * Loaded before the command (`node --import`) by kill-stages.ts: counts the calls that change files, and kills the process by SIGKILL at the
 * KILL_AT-th, before it is made. With KILL_TRACE each is written down there instead.
 */
import { appendFileSync, promises } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { isMainThread } from 'node:worker_threads'

const { KILL_AT: at, KILL_TRACE: trace } = process.env
const changing = ['appendFile', 'copyFile', 'mkdir', 'open', 'rename', 'rm', 'rmdir', 'symlink', 'unlink', 'writeFile']
let calls = 0

for (const name of isMainThread ? changing : []) {
  const call = promises[name]
  promises[name] = (path, ...others) => {
    if (name !== 'open' || others[0] !== 'r') {
      calls++
      if (trace !== undefined) appendFileSync(trace, `${name} ${path}\n`)
      if (calls === Number(at)) process.kill(process.pid, 'SIGKILL')
    }
    return call(path, ...others)
  }
}
syncBuiltinESMExports()
