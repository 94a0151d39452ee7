/**
 * The examples in docstrings as programs: each ```ts fence under an `@example` is one module, and the comments in it
 * that begin with `=>` or `throws` are its assertions.
 *
 * ```ts
 * import { softmax, tensor } from 'fathom'
 *
 * softmax(tensor([1, 2, 3])) // => [0.09, 0.24, 0.67]
 * tensor([1, 2]).add(tensor([1, 2, 3])) // throws ShapeError: …
 * await device.compile(softmax)(tensor([0, 0])) // => [0.5, 0.5]
 * ```
 *
 * `device` is an open cpu device, where the example declares none of its own. What a text says goes below a bare `=>`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as ts from 'typescript'
import { fences, pageModule } from './fences.ts'
import { root } from './pages.ts'

/** One example of a docstring. */
export interface Example {
  /** Path of the source file from the root, with forward slashes. */
  readonly file: string
  /** 1-based line of the opening ``` in the file. */
  readonly line: number
  /** The module, line for line below the source file's lines. */
  readonly code: string
}

/** What an example says of one of its expressions. */
export interface Claim {
  readonly kind: '=>' | 'throws'
  /** 1-based line in the source file. */
  readonly line: number
  /** The expression, as written. */
  readonly source: string
  /** What stands after `=>` or `throws`, and in the comment lines directly below. */
  readonly says: string
}

/** All source files from the root, with forward slashes, sorted. */
const sourceFiles = (): readonly string[] =>
  readdirSync(join(root, 'src'), { recursive: true })
    .map((path) => `src/${String(path).replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts'))
    .toSorted()

/** The source with everything blank but what follows an `@example` tag up to the next tag or the comment's end. */
const examplesOnly = (source: string): string => {
  let inside = false
  const lines = source.split('\n').map((line) => {
    const text = /^ *\* ?(.*)$/.exec(line)?.[1]
    if (text === undefined || /\*\/\s*$/.test(line)) inside = false
    else if (text.startsWith('@')) inside = text.startsWith('@example')
    return inside && text?.startsWith('@') === false ? text : ''
  })
  return lines.join('\n')
}

/**
 * The examples of one source file.
 * @throws Error naming file and line, for a fence that never runs or has no end
 */
export const examplesIn = (file: string, source: string): readonly Example[] =>
  fences(file, examplesOnly(source)).map((fence) => {
    if (!fence.runs) throw new Error(`${file}:${fence.line}: an example runs; there is no no-run here`)
    return { file, line: fence.line, code: pageModule([fence], () => '') }
  })

/** Where an `@example` is not followed by a ```ts fence, so that nothing would run it: `file:line`. */
const unfenced = (file: string, source: string): readonly string[] =>
  source
    .split('\n')
    .flatMap((line, i, lines) =>
      /^ *\* @example/.test(line) && !/^ *\* ```ts/.test(lines[i + 1] ?? '') ? [`${file}:${i + 1}`] : [],
    )

const eachSource = <T>(f: (file: string, source: string) => readonly T[]): readonly T[] =>
  sourceFiles().flatMap((file) => f(file, readFileSync(join(root, file), 'utf8')))

/** The examples of all of src/. */
export const examples = (): readonly Example[] => eachSource(examplesIn)

/** {@link unfenced} examples of all of src/. */
export const unfencedExamples = (): readonly string[] => eachSource(unfenced)

/** Where the module of an example is written; see {@link modulePath}. */
export const examplePath = (folder: string, { file, line }: Pick<Example, 'file' | 'line'>): string =>
  join(root, '.cache', folder, `${file.replace(/\.ts$/, '').replaceAll('/', '-')}-${line}.ts`)

const parse = (code: string): ts.SourceFile => ts.createSourceFile('example.ts', code, ts.ScriptTarget.ES2022, true)

/** Names that the statements declare at top level, those of imports left out. */
const declared = (file: ts.SourceFile): readonly string[] =>
  file.statements
    .filter(ts.isVariableStatement)
    .flatMap((s) => s.declarationList.declarations.map((d) => d.name.getText(file)))

const usesDevice = (file: ts.SourceFile): boolean =>
  /\bdevice\b/.test(file.text) && !declared(file).some((name) => name === 'device')

/** The module for the type checker: the example with `device` declared. Its first line is free, as a file opens with a comment. */
export const typedModule = (code: string): string =>
  usesDevice(parse(code)) ? `declare const device: import('fathom').Device${code}` : code

/** The comment lines directly below `line` (0-based), without their slashes. */
const commentsBelow = (lines: readonly string[], line: number): readonly string[] => {
  const rest = lines.slice(line + 1)
  const end = rest.findIndex((text) => !/^\/\/(?! (=>|throws))/.test(text))
  return rest.slice(0, end === -1 ? rest.length : end).map((text) => text.replace(/^\/\/ ?/, ''))
}

/** The comment behind a statement, or on the line below it where the statement's line is full. */
const commentBehind = (file: ts.SourceFile, statement: ts.Statement): ts.CommentRange | undefined => {
  const [trailing] = ts.getTrailingCommentRanges(file.text, statement.end) ?? []
  if (trailing !== undefined) return trailing
  const [below] = ts.getLeadingCommentRanges(file.text, statement.end) ?? []
  return below !== undefined && /^\s*$/.test(file.text.slice(statement.end, below.pos)) ? below : undefined
}

const claimOf = (example: Example, file: ts.SourceFile, statement: ts.Statement): Claim | undefined => {
  const comment = commentBehind(file, statement)
  if (comment === undefined) return undefined
  const [, kind, says = ''] =
    /^\/\/ (=>|throws)(?: (.*))?$/.exec(file.text.slice(comment.pos, comment.end).trimEnd()) ?? []
  if (kind !== '=>' && kind !== 'throws') return undefined
  const line = file.getLineAndCharacterOfPosition(comment.pos).line
  const all = [says, ...commentsBelow(file.text.split('\n'), line)]
  return { kind, line: line + 1, source: sourceOf(example, file, statement), says: all.join('\n').trim() }
}

/** The expression that a claim is about: a statement's, or the name that it declares. */
const sourceOf = (example: Example, file: ts.SourceFile, statement: ts.Statement): string => {
  if (ts.isExpressionStatement(statement)) return statement.expression.getText(file)
  const [declaration, other] = ts.isVariableStatement(statement) ? statement.declarationList.declarations : []
  if (declaration !== undefined && other === undefined && ts.isIdentifier(declaration.name))
    return declaration.name.text
  const { line } = file.getLineAndCharacterOfPosition(statement.getStart(file))
  throw new Error(`${example.file}:${line + 1}: an assertion stands after an expression or after \`const name = …\``)
}

/** A claim that nothing checks would be no claim: inside a block or a call, or with other spacing. */
const requireClaims = (example: Example, claims: readonly Claim[]): void => {
  const where = `${example.file}:${example.line}`
  if (claims.length === 0) throw new Error(`${where}: an example asserts something: \`expression // => value\``)
  const written = example.code.split('\n').flatMap((line, i) => (/\/\/ *(=>|throws\b)/.test(line) ? [i + 1] : []))
  const lost = written.find((line) => claims.every((claim) => claim.line !== line))
  if (lost !== undefined)
    throw new Error(
      `${example.file}:${lost}: nothing checks this; \`// => value\` and \`// throws Name: message\` stand behind or below a statement of the example itself`,
    )
}

/**
 * The module that runs: claim k becomes `await example.check(k, async () => expression)`, where `example` is a global
 * that the test provides, with `device`. Lines stay where they are.
 * @throws Error naming file and line, if the example claims nothing, or something that cannot be checked
 */
export const runnableModule = (example: Example): { readonly code: string; readonly claims: readonly Claim[] } => {
  const file = parse(example.code)
  const claims: Claim[] = []
  const pieces: string[] = usesDevice(file) ? ['const { device } = example'] : []
  let end = 0
  for (const statement of file.statements) {
    const claim = claimOf(example, file, statement)
    const start = statement.getStart(file)
    pieces.push(file.text.slice(end, start))
    end = statement.end
    const text = file.text.slice(start, end)
    if (claim === undefined) pieces.push(text)
    else {
      const call = `;await example.check(${claims.length}, async () => (${claim.source}));`
      pieces.push(ts.isExpressionStatement(statement) ? call : `${text}${call}`)
      claims.push(claim)
    }
  }
  requireClaims(example, claims)
  return { code: `${pieces.join('')}${file.text.slice(end)}`, claims }
}
