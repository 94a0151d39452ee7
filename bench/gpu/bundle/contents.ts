/** What goes into a bundle, as data: which files of the repository and of its dependencies, and where they lie. */

/** A package's files in a bundle. */
export interface PackageFiles {
  readonly name: string
  /** Whether a file, by its path in the package, is needed at run time. */
  readonly needs: (path: string) => boolean
}

/** Where Dawn's binary lies, by what `--platform` is given. */
export const platforms = ['linux-x64', 'linux-arm64', 'darwin-universal'] as const

export type Platform = (typeof platforms)[number]

const isCode = (path: string): boolean => /\.(?:js|json)$/.test(path) && !/\.d\.ts|\.map$/.test(path)

/** What runs, of all that is installed. */
export const packagesFor = (platform: Platform): readonly PackageFiles[] => [
  { name: 'fp-ts', needs: (path) => /^(?:lib\/.*\.js|package\.json|LICENSE)$/.test(path) },
  { name: 'pngjs', needs: (path) => /^(?:lib\/.*\.js|package\.json|LICENSE)$/.test(path) },
  {
    name: 'webgpu',
    needs: (path) => ['index.js', 'package.json', 'LICENSE.md', `dist/${platform}/dawn.node`].includes(path),
  },
  // For the proof alone.
  { name: 'fast-check', needs: (path) => isCode(path) && !path.startsWith('lib/cjs/') },
  { name: 'pure-rand', needs: (path) => isCode(path) },
]

/** What is not code, by its path in the repository, and its path in a bundle. */
export const plainFiles: readonly (readonly [from: string, to: string])[] = [
  ['bench/gpu/run.sh', 'run.sh'],
  ['bench/gpu/run-mac.sh', 'run-mac.sh'],
  ['bench/gpu/README.md', 'README.md'],
  ['LICENSE', 'LICENSE'],
  ...['common', 'kernels', 'unets', 'networks'].map((name) => {
    const path = `bench/gpu/torch/${name}.py`
    return [path, path] as const
  }),
  ...['kernels', 'unet'].map((name) => {
    const path = `bench/gpu/mlx/${name}.py`
    return [path, path] as const
  }),
  ['test/golden/lucidrains-unet/unet.py', 'test/golden/lucidrains-unet/unet.py'],
]

/** Vulkan's loader of the machine that makes a bundle for Linux (Apache 2.0), for machines that have a driver and no loader. */
export const loaderFiles: readonly (readonly [from: string, to: string])[] = [
  ['/usr/lib/x86_64-linux-gnu/libvulkan.so.1', 'vulkan/libvulkan.so.1'],
  ['/usr/share/doc/libvulkan1/copyright', 'vulkan/copyright'],
]

/** Folders whose TypeScript is compiled. */
export const compiled: readonly string[] = ['src', 'bench', 'proof']

/** A compiled file's place in a bundle; undefined where it is not needed. The source's place is that of the built package. */
export const placeOfCompiled = (path: string): string | undefined => {
  if (!path.endsWith('.js')) return undefined
  if (path.startsWith('src/')) return path.replace(/^src\//, 'dist/')
  return /^(?:bench\/(?:gpu\/|[^/]+\.js$|peers\/python\.js$)|proof\/(?!page\/|mutants))/.test(path) ? path : undefined
}

/** A compiled file's text as a bundle has it: what imports the source imports the built package. */
export const textOfCompiled = (path: string, text: string): string =>
  path.startsWith('src/') ? text : text.replaceAll(/((?:from|import)\s*\(?\s*['"](?:\.\.\/)+)src\//g, '$1dist/')

/** The bundle's package.json: what Node must know of its folder, and no more. */
export const manifestOf = (given: Readonly<Record<string, unknown>>): string => {
  const { name, version, license, exports } = given
  return `${JSON.stringify({ name, version, license, private: true, type: 'module', exports }, undefined, 2)}\n`
}

/** What is wrong with a bundle's list of paths, in words. */
export const faultsOf = (paths: readonly string[]): readonly string[] =>
  paths.flatMap((path) => [
    ...(/^(?:\/|[A-Za-z]:)|(?:^|\/)\.\.(?:\/|$)|\\/.test(path) ? [`${path} is not a path inside of the bundle`] : []),
    ...(/\.map$|\.d\.[cm]?ts$|\.ts$|\.tsbuildinfo$/.test(path) ? [`${path} does not run`] : []),
    ...(/(?:^|\/)(?:\.git|\.cache|__pycache__|test\/(?!golden\/))/.test(path) ? [`${path} does not belong there`] : []),
  ])
