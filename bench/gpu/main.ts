/**
 * `npm run bench:gpu`: measures the GPU of this machine (run.ts), or makes a bundle for one that has no network:
 *
 *     npm run bench:gpu -- --bundle fathom-gpu.tar.gz [--platform linux-x64]
 */
import process from 'node:process'

const args = process.argv.slice(2)
if (args.includes('--bundle')) {
  const { makeBundle } = await import('./bundle/make.ts')
  makeBundle(args)
} else {
  const { runAll } = await import('./run.ts')
  process.exitCode = (await runAll(args)) ? 0 : 1
}
