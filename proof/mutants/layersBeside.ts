/** Bugs in what networks are made of besides: bent activations, pools, paddings, sizes, losses of classes and sequences; and in linear algebra. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { gradients, inFile, values } from './suites.ts'

const layer = 'functions and layers'
const classLosses = inFile('nn/classLosses')

/** All of them. */
export const besideMutants: readonly Mutant[] = [
  ...mutantsOf(layer, 'src/tensor/exponentialUnits.ts', values('elu'), [
    [
      'elu: the exponential’s derivative lacks α',
      'factor',
      '.mul(scale * alpha * rate)',
      '.mul(scale * rate)',
      gradients('elu'),
    ],
  ]),
  ...mutantsOf(layer, 'src/tensor/hardActivations.ts', gradients('hardswish'), [
    ['hardswish: the derivative lacks its ½', 'missing term', 'x.div(3).add(0.5)', 'x.div(3)'],
  ]),
  ...mutantsOf(layer, 'src/tensor/padding.ts', values('padWith'), [
    [
      'padWith: reflection repeats the edge',
      'off by one',
      'sliceAlong(x, axis, 1, count + 1)',
      'sliceAlong(x, axis, 0, count)',
    ],
  ]),
  ...mutantsOf(layer, 'src/tensor/pooling.ts', values('maxPool'), [
    ['maxPool: zeros stand around the image', 'wrong constant', 'isFloat(dtype) ? -Infinity', 'isFloat(dtype) ? 0'],
    [
      'maxPool: the gradient of windows that overlap stays in the padding’s place',
      'off by one',
      'all.slice([], [h, h + windows.image[0]]',
      'all.slice([], [0, windows.image[0]]',
      gradients('maxPool'),
    ],
    [
      'averagePool1d: the padding is counted whatever is asked',
      'missing check',
      '(options.countIncludePad ?? true)',
      '(options.countIncludePad !== undefined || true)',
      values('averagePool1d'),
    ],
  ]),
  ...mutantsOf(layer, 'src/tensor/convPadding.ts', inFile('tensor/convPadding'), [
    [
      'conv2d: what is missing for the same size stands before the image',
      'swapped operands',
      'low, high: [h - low[0], w - low[1]]',
      'low: [h - low[0], w - low[1]], high: low',
    ],
  ]),
  ...mutantsOf(layer, 'src/tensor/resizing.ts', values('resizeBicubic'), [
    ['resizeBicubic: a = −½, as in other libraries', 'wrong constant', '[-0.75, Math.abs(d)]', '[-0.5, Math.abs(d)]'],
  ]),
  ...mutantsOf(layer, 'src/tensor/gridSample.ts', values('gridSample'), [
    [
      'gridSample: a pixel outside is that at the border',
      'missing check',
      '.select(0, pixels)',
      '.select(pixels, pixels)',
    ],
  ]),
  ...mutantsOf('losses', 'src/nn/classLosses.ts', classLosses, [
    [
      'crossEntropy: rows that are left out count in the mean',
      'missing term',
      'losses.sum().div(kept(rows, weights).sum())',
      'losses.sum().div(weights.sum())',
    ],
  ]),
  ...mutantsOf('losses', 'src/nn/ctcLoss.ts', classLosses, [
    [
      'ctcLoss: a blank may be passed over between equal labels',
      'missing check',
      'mayPass.select(moved(alpha, 2), never)',
      'moved(alpha, 2)',
    ],
    ['ctcLoss: a path cannot end before the last blank', 'missing term', '.or(state.equal(last.sub(1)))', ''],
  ]),
  ...mutantsOf(layer, 'src/tensor/linalg/cholesky.ts', gradients('cholesky'), [
    [
      'cholesky: the derivative is not made symmetric',
      'missing term',
      'return [symmetric(solveTransposed(l, transposed(left)))]',
      'return [solveTransposed(l, transposed(left))]',
    ],
  ]),
  ...mutantsOf(layer, 'src/tensor/linalg/lu.ts', inFile('tensor/linalg', 'row exchange'), [
    ['solve: the pivot is the first row that is left', 'missing call', 'column.abs()', 'column.abs().mul(0)'],
  ]),
  ...mutantsOf(layer, 'src/tensor/linalg/qr.ts', gradients('qr'), [
    ['qr: the derivative mirrors the diagonal too', 'factor', 'tril(m, -1)))', 'tril(m)))'],
  ]),
]
