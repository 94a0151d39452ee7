/**
 * The layers of fathom: an arrow may only point down. One table, from which the rules are derived.
 * scripts/check.mjs also fails when fewer modules were cruised than src/ has files: without TypeScript 6's API the
 * cruiser would see none and pass.
 */

/** Folders by layer, lowest first. */
const layers = [
  ['src/prelude/'],
  ['src/graph/'],
  ['src/compiler/'],
  ['src/backends/[^/]+[.]ts$'],
  ['src/backends/(?:cpu|wasm|webgpu)/'],
  ['src/tensor/'],
  ['src/autograd/'],
  ['src/nn/', 'src/optim/'],
  ['src/models/', 'src/diffusion/'],
  ['src/io/', 'src/data/'],
  ['src/evaluation/'],
  ['src/train/'],
  ['src/cli/'],
]

const names = [
  'prelude',
  'graph',
  'compiler',
  'backends',
  'implementations',
  'tensor',
  'autograd',
  'nn, optim',
  'models, diffusion',
  'io, data',
  'evaluation',
  'train',
  'cli',
]
const any = (folders) => `^(?:${folders.join('|')})`

/** src/backends/registry.ts loads an implementation by name, by dynamic import: the one arrow that points up. */
const registry = '^src/backends/registry[.]ts$'
const upward = layers.slice(0, -1).map((folders, level) => ({
  name: `layer ${level} (${names[level]}) imports nothing above it`,
  severity: 'error',
  from: { path: any(folders), ...(level === 3 ? { pathNot: registry } : {}) },
  to: { path: any(layers.slice(level + 1).flat()) },
}))

const beside = (one, other, comment) => ({
  name: `${one} does not import ${other}`,
  comment,
  severity: 'error',
  from: { path: `^src/${one}/` },
  to: { path: `^src/${other}/` },
})

module.exports = {
  forbidden: [
    ...upward,
    {
      name: 'the registry loads implementations dynamically',
      comment: 'a page which uses wasm ships no WGSL',
      severity: 'error',
      from: { path: registry },
      to: { path: any(layers[4]), dependencyTypesNot: ['dynamic-import', 'type-only'] },
    },
    {
      name: 'the registry imports nothing above the implementations',
      severity: 'error',
      from: { path: registry },
      to: { path: any(layers.slice(5).flat()) },
    },
    {
      name: 'backends do not import one another',
      severity: 'error',
      from: { path: '^src/backends/(cpu|wasm|webgpu)/' },
      to: { path: '^src/backends/(?:cpu|wasm|webgpu)/', pathNot: '^src/backends/$1/' },
    },
    {
      name: 'tensor knows the Backend interface and no implementation',
      severity: 'error',
      from: { path: '^src/(?:tensor|autograd|nn|optim|models|diffusion)/' },
      to: { path: any(layers[4]) },
    },
    beside('nn', 'optim'),
    beside('optim', 'nn'),
    beside('nn', 'autograd', 'a layer is a function; only user code and train bring layers and gradients together'),
    beside('optim', 'autograd', 'an optimizer maps gradients to updates and does not ask where they come from'),
    beside('models', 'diffusion'),
    beside('diffusion', 'models', 'diffusion takes a function denoise(x, t)'),
    {
      name: 'layers 0-8 do not import Node',
      comment: 'they run in a page as well',
      severity: 'error',
      from: {
        path: '^src/(?:prelude|graph|compiler|backends|tensor|autograd|nn|optim|models|diffusion)/',
        pathNot: '[.]node[.]ts$',
      },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'Node is imported in *.node.ts only',
      severity: 'error',
      from: { path: '^src/(?:io|data|evaluation|train)/', pathNot: '[.]node[.]ts$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'the trainer knows no task, model or noise',
      comment: 'it trains what the registry of tasks gives it',
      severity: 'error',
      from: { path: '^src/train/', pathNot: '^src/train/(?:tasks/|index[.](?:page[.])?ts$)' },
      to: { path: '^src/(?:models|diffusion)/' },
    },
    {
      name: 'training needs no Node but in *.node.ts',
      comment: 'a page trains as well, with a store and data of its own',
      severity: 'error',
      from: { path: '^src/train/', pathNot: '[.]node[.]ts$|^src/train/index[.]ts$' },
      to: { path: '[.]node[.]ts$|^src/(?:io|data)/index[.]ts$' },
    },
    {
      name: 'fp-ts comes through src/prelude/fp.ts',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/prelude/fp[.]ts$' },
      to: { path: 'node_modules/fp-ts/' },
    },
    {
      name: 'nothing in src is imported from outside the package',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(?:test|examples|bench|scripts|docs)/' },
    },
    { name: 'no cycles', severity: 'error', from: { path: '^src/' }, to: { circular: true } },
    { name: 'no unresolved imports', severity: 'error', from: { path: '^src/' }, to: { couldNotResolve: true } },
    {
      name: 'what src imports is a declared dependency',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], pathNot: 'node_modules/@types/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
}
