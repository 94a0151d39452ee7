/** What the package exports that a reader may call: functions and classes of every entry, and the members of classes. */
import { join, relative } from 'node:path'
import * as ts from 'typescript'
import { root } from './pages.ts'

/** The entries of the package, by their folder under src/; '' is fathom itself. */
export const entries = [
  '',
  'nn',
  'nn/init',
  'optim',
  'models',
  'diffusion',
  'io',
  'data',
  'evaluation',
  'train',
] as const

/** One thing to call, and whether its docstring has an `@example` in a ```ts fence. */
export interface Callable {
  readonly entry: (typeof entries)[number]
  /** `softmax`, `Tensor.add`. */
  readonly name: string
  readonly hasExample: boolean
  /** Where it is declared: `src/tensor/tensor.ts:387`. */
  readonly place: string
}

const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected | ts.ModifierFlags.Static

/** Public methods and getters of a class. */
const members = (symbol: ts.Symbol): readonly ts.Symbol[] =>
  [...(symbol.members?.values() ?? [])].filter(
    (m) =>
      (m.flags & (ts.SymbolFlags.Method | ts.SymbolFlags.Accessor)) !== 0 &&
      (m.declarations ?? []).every((d) => (ts.getCombinedModifierFlags(d) & hidden) === 0),
  )

const isCallable = (checker: ts.TypeChecker, symbol: ts.Symbol): boolean => {
  if ((symbol.flags & ts.SymbolFlags.Value) === 0) return false
  const type = checker.getTypeOfSymbol(symbol)
  return type.getCallSignatures().length > 0 || type.getConstructSignatures().length > 0
}

const placeOf = (symbol: ts.Symbol): string => {
  const [declaration] = symbol.declarations ?? []
  if (declaration === undefined) return symbol.name
  const file = declaration.getSourceFile()
  const { line } = file.getLineAndCharacterOfPosition(declaration.getStart())
  return `${relative(root, file.fileName).replaceAll('\\', '/')}:${line + 1}`
}

const callablesOf = (
  checker: ts.TypeChecker,
  entry: (typeof entries)[number],
  file: ts.SourceFile,
): readonly Callable[] => {
  const module = checker.getSymbolAtLocation(file)
  if (module === undefined) throw new Error(`${file.fileName} is no module`)
  const hasExample = (symbol: ts.Symbol): boolean =>
    symbol
      .getJsDocTags(checker)
      .some((tag) => tag.name === 'example' && ts.displayPartsToString(tag.text).includes('```ts'))
  return checker.getExportsOfModule(module).flatMap((exported) => {
    const alias = (exported.flags & ts.SymbolFlags.Alias) !== 0
    const symbol = alias ? checker.getAliasedSymbol(exported) : exported
    if (!isCallable(checker, symbol)) return []
    return [
      { entry, name: exported.name, hasExample: hasExample(symbol), place: placeOf(symbol) },
      ...members(symbol).map((m) => ({
        entry,
        name: `${exported.name}.${m.name}`,
        hasExample: hasExample(m),
        place: placeOf(m),
      })),
    ]
  })
}

/** Everything that may be called, of all entries. */
export const callables = (): readonly Callable[] => {
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path))
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root)
  const paths = entries.map((entry) => join(root, 'src', entry, 'index.ts'))
  const program = ts.createProgram(paths, options)
  const checker = program.getTypeChecker()
  return paths.flatMap((path, i) => {
    const file = program.getSourceFile(path)
    const entry = entries[i]
    if (file === undefined || entry === undefined) throw new Error(`there is no ${path}`)
    return callablesOf(checker, entry, file)
  })
}
