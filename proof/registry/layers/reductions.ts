/** What the losses of the registry share: reductions, and what is refused. */
import fc from 'fast-check'
import type { Reduction } from '../../../src/nn/index.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { badDType, badShape, one, type Expected, type Misuse } from '../entry.ts'
import { sum } from '../primitives/reduction.ts'

/** What becomes of the losses of the elements. */
export const reductions: { readonly [K in Reduction]: (losses: Expected) => Expected } = {
  mean: ({ data }) => ({ shape: [], data: [sum(data) / data.length] }),
  sum: ({ data }) => ({ shape: [], data: [sum(data)] }),
  none: (losses) => losses,
}

/** One of them. */
export const reduction: fc.Arbitrary<Reduction> = fc.constantFrom('mean', 'sum', 'none')

/** What is refused of a prediction and a target. */
export const alike = (name: string, f: (x: Tensor, y: Tensor) => Tensor): readonly Misuse[] => {
  const says = (text: string): RegExp => new RegExp(`^${name}: ${text}`)
  const both = (x?: Tensor, y?: Tensor): Tensor => f(one(x), one(y))
  return [
    badShape(
      says(String.raw`\w+ \[2\] against \w+ \[3\]; a loss compares element by element: let`),
      ['f32[2]', 'f32[3]'],
      both,
    ),
    badShape(says(String.raw`\w+ \[3,1\] against \w+ \[3\]; .*reshape\(\[3,1\]\)$`), ['f32[3,1]', 'f32[3]'], both),
    badShape(says(String.raw`\w+ \[2,3\] against \w+ \[3\]; .*broadcastTo\(\[2,3\]\)$`), ['f32[2,3]', 'f32[3]'], both),
    badShape(says(String.raw`\w+ \[1\] against \w+ \[\]; `), ['f32[1]', 'f32[]'], both),
    badDType(says('dtypes f32 and f64 differ; cast one of them$'), ['f32[2]', 'f64[2]'], both),
    badDType(says(String.raw`\w+ of dtype u8; a loss takes floats, cast them first$`), ['u8[2]', 'u8[2]'], both),
  ]
}

/** Why a loss is not tried with labels at the ends: there are none. Its logits are, in the table against PyTorch. */
export const labelled = 'labels that are no probability and no class are refused'
