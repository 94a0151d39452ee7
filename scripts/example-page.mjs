/**
 * `npm run example:page`: the page that trains (examples/page), bundled with Vite and served on localhost, isolated from other origins so that
 * wasm has threads. `npm run example:page -- 9000` serves it on another port.
 */
import process from 'node:process'
import { bundle, sizeOf } from './page/bundle.mjs'
import { isolation, serve } from './page/serve.mjs'

const port = Number(process.argv[2] ?? 8080)

try {
  const files = await bundle('index.html', 'examples/page')
  await serve(files, isolation, { port })
  console.log(`the page that trains, ${sizeOf(files)}: http://localhost:${port}/ (Ctrl-C ends it)`)
} catch (error) {
  const taken = error instanceof Error && error.code === 'EADDRINUSE'
  const why = error instanceof Error ? error.message : String(error)
  console.error(taken ? `port ${port} is taken: name another, as in \`npm run example:page -- ${port + 1}\`` : why)
  process.exitCode = 1
}
