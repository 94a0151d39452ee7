/**
 * The one place where fp-ts enters fathom.
 *
 * Why a file of its own: `import 'fp-ts/Either'` type-checks and then throws ERR_UNSUPPORTED_DIR_IMPORT in Node's ESM
 * loader; `fp-ts/lib/Either.js` works everywhere. Everybody else imports from here.
 */
export { pipe } from 'fp-ts/lib/function.js'
export * as E from 'fp-ts/lib/Either.js'
export * as TE from 'fp-ts/lib/TaskEither.js'
