/** Whether the compiler alone would have caught a mutant: a bug that is well typed is left to the tests. */
import { join } from 'node:path'
import ts from 'typescript'
import { mutated } from './copy.ts'
import type { Mutant } from './mutant.ts'

/** Checks one mutant after the other against one program that is kept. */
export type TypeCheck = (mutant: Mutant) => string | undefined

const settingsOf = (root: string): ts.ParsedCommandLine => {
  const path = join(root, 'tsconfig.json')
  const { config } = ts.readConfigFile(path, (name) => ts.sys.readFile(name)) as { readonly config: object }
  return ts.parseJsonConfigFileContent({ ...config, include: ['src', 'examples'] }, ts.sys, root)
}

/** A check of the sources at `root`; it looks at the file in which the bug is. */
export const typeCheckOf = (root: string): TypeCheck => {
  const { options, fileNames } = settingsOf(root)
  const changed = new Map<string, { readonly text: string; readonly version: number }>()
  let version = 0
  const textOf = (path: string): string | undefined => changed.get(path)?.text ?? ts.sys.readFile(path)
  const service = ts.createLanguageService({
    getCompilationSettings: () => options,
    getScriptFileNames: () => [...fileNames],
    getScriptVersion: (path) => String(changed.get(path)?.version ?? 0),
    getScriptSnapshot: (path) => {
      const text = textOf(path)
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: (o) => ts.getDefaultLibFilePath(o),
    fileExists: (path) => ts.sys.fileExists(path),
    readFile: (path) => ts.sys.readFile(path),
    directoryExists: (path) => ts.sys.directoryExists(path),
  })
  return (mutant) => {
    const path = join(root, mutant.file)
    version++
    changed.set(path, { text: mutated(ts.sys.readFile(path) ?? '', mutant), version })
    const [first] = [...service.getSyntacticDiagnostics(path), ...service.getSemanticDiagnostics(path)]
    version++
    changed.set(path, { text: ts.sys.readFile(path) ?? '', version })
    return first === undefined ? undefined : ts.flattenDiagnosticMessageText(first.messageText, ' ')
  }
}
