/** Resolves the package's own names, `fathom` and `fathom/nn`, to src/: `node --import ./scripts/sources.mjs file.ts`, on Node 24. */
import { registerHooks } from 'node:module'

registerHooks({
  resolve: (name, context, next) => {
    const own = /^fathom(?:\/([\w/]+))?$/.exec(name)
    if (own === null) return next(name, context)
    const [, entry = ''] = own
    return next(new URL(`../src/${entry === '' ? '' : `${entry}/`}index.ts`, import.meta.url).href, context)
  },
})
