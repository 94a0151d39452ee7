/** Where fathom means something else at the ends than PyTorch, and why; each is checked to be what fathom does. */

/** What fathom gives in place of PyTorch's numbers: by row-major index; or that it accepts, or refuses, what PyTorch does not. */
type Instead = Readonly<Record<number, number>> | 'accepts' | 'refuses'

/** One array of one case in which the two differ. */
export interface Exception {
  /** `subject / label / role name`, such as `abs / ends / gradients x`. */
  readonly at: string
  readonly fathom: Instead
  /** Present where only one dtype differs. */
  readonly only?: 'f32' | 'f64'
}

/** A reason, and what it covers. */
export interface Deviation {
  readonly reason: string
  readonly exceptions: readonly Exception[]
}

const same = (instead: Instead, ...places: readonly string[]): readonly Exception[] =>
  places.map((at) => ({ at, fathom: instead }))

/** All of them. */
export const deviations: readonly Deviation[] = [
  {
    reason:
      "The sign of NaN is NaN. PyTorch's is 0, so that a network which has become NaN gets a gradient of 0 from its L1 loss, and nothing shows.",
    exceptions: [
      ...same(
        { 0: NaN },
        'abs / ends / gradients x',
        'l1 / mean / gradients prediction',
        'l1 / mean / gradients target',
      ),
      ...same({ 0: NaN, 1: NaN }, 'l1 / ends / gradients prediction', 'l1 / ends / gradients target'),
      { at: 'sign / ends / results', fathom: { 0: NaN } },
    ],
  },
  {
    reason:
      'The larger of −0 and 0 is 0, and the smaller is −0, whatever their order (IEEE 754-2019, 9.6). PyTorch gives one of the two operands.',
    exceptions: [
      { at: 'relu / ends / results', fathom: { 3: 0 } },
      { at: 'maximum / ends / results', fathom: { 12: 0 } },
      { at: 'maximum / number / results', fathom: { 3: 0 } },
      { at: 'minimum / ends / results', fathom: { 13: -0 } },
      { at: 'maxPool / ends / results', fathom: { 4: 0 } },
      { at: 'min / ends / results', fathom: { 5: -0 } },
      { at: 'relu6 / ends / results', fathom: { 3: 0 } },
    ],
  },
  {
    reason:
      'A pool is a maximum over axes: equal elements share the gradient, as in `amax`, and that of NaN is NaN. PyTorch gives all of it to the first of equal elements, or to the NaN.',
    exceptions: [
      {
        at: 'maxPool / ends / gradients x',
        fathom: { 0: NaN, 1: NaN, 4: 1.5, 5: 1.5, 8: 2.5, 9: 2.5, 10: 3, 11: 3 },
      },
      { at: 'maxPool1d / ends / gradients x', fathom: { 0: NaN, 1: NaN, 3: 2, 4: 7, 5: 3, 6: 3 } },
      { at: 'maxPool1d / nothing around / gradients x', fathom: { 0: 0.5 } },
    ],
  },
  {
    reason:
      'xᵖ is the power of IEEE 754 for every p: of −∞ it is ∞ or 0, and of −0 it is 0 or ∞. For ½ and −½ PyTorch takes a square root, which is NaN of −∞ and −0 of −0.',
    exceptions: [
      { at: 'pow / to 0.5 / results', fathom: { 2: Infinity, 3: 0 } },
      { at: 'pow / to 0.5 / gradients x', fathom: { 2: 0 } },
      { at: 'pow / to -0.5 / results', fathom: { 2: 0 } },
    ],
  },
  {
    reason:
      'A clamp lets the gradient of a NaN pass, as `relu` does, and a bound that is NaN, which is the result, has its gradient. PyTorch has 0 for both, so that nothing shows.',
    exceptions: [
      { at: 'clamp / ends / gradients x', fathom: { 0: 1 } },
      { at: 'clamp / NaN bound / gradients x', fathom: { 1: 1 } },
      { at: 'clamp / NaN bound / gradients low', fathom: { 0: 1 } },
    ],
  },
  {
    reason:
      'The derivative of a running product in an element is that of the others, which are numbers although the element is NaN or infinite. PyTorch divides by the element, and has NaN.',
    exceptions: [
      { at: 'cumprod / ends / gradients x', fathom: { 0: 9, 3: 21, 6: 33, 11: Infinity, 12: Infinity, 13: Infinity } },
    ],
  },
  {
    reason:
      "The median is one element, and the gradient is that element's, of equal ones' the first in order. PyTorch does so along an axis, and shares it where there is none.",
    exceptions: [{ at: 'median / ties / gradients x', fathom: { 1: 0, 3: 1 } }],
  },
  {
    reason:
      'A cast to an integer truncates and wraps modulo 2³², and NaN and ±∞ become 0, on every backend. In C it is undefined; PyTorch gives what the processor does.',
    exceptions: same({ 0: 0, 1: 0, 2: 0 }, 'cast / integers / results'),
  },
  {
    reason: 'A number that the integer dtype does not hold is an error that says so. PyTorch compares it as it is.',
    exceptions: ['less', 'greater', 'equal'].flatMap((name) =>
      same('refuses', ...['out of range', 'below range', 'fraction'].map((label) => `${name} / ${label} / error`)),
    ),
  },
  {
    reason: 'There is no 64-bit integer: sums of i32 and u32 wrap, and those of bytes are i32.',
    exceptions: same({ 1: -(2 ** 31) }, 'cumsum / integers / results'),
  },
  {
    reason:
      'The softmax of [10⁸, 10⁸] is [½, ½], and that is the gradient. PyTorch takes e to x − logSumExp x, in which the rounding of the large number remains.',
    exceptions: [{ at: 'logSumExp / offset / gradients x', fathom: { 2: 1, 3: 1, 4: 1.5, 5: 1.5 }, only: 'f64' }],
  },
  {
    reason:
      'The binary cross-entropy of an infinite logit is the limit: 0 on the side of its target, ∞ on the other. PyTorch multiplies 0 by ∞.',
    exceptions: [{ at: 'binaryCrossEntropy / ends / results', fathom: { 1: 0, 3: 0, 4: Infinity } }],
  },
  {
    reason:
      'The variance of a row with ∞ is NaN; so is its gradient. PyTorch leaves out what flows through the mean, which is 0 for finite numbers, and has ∓∞ at the finite ones.',
    exceptions: [{ at: 'variance / ends / gradients x', fathom: { 3: NaN, 5: NaN } }],
  },
  {
    reason:
      "f32 has other ends than f64: the mean 16777219 is none of its numbers, and x³ of 3·10³⁸ is ∞. PyTorch's own f32 gives the same as fathom's.",
    exceptions: [
      { at: 'variance / offset / results', fathom: { 0: 6 }, only: 'f32' },
      { at: 'geluTanh / far / gradients x', fathom: { 2: NaN, 3: NaN }, only: 'f32' },
    ],
  },
  {
    reason:
      "An activation of NaN has a derivative of NaN, as every function of it has. PyTorch's pass the gradient on unchanged, so that nothing shows.",
    exceptions: [
      ...same(
        { 0: NaN },
        'elu / ends / gradients x',
        'celu / ends / gradients x',
        'selu / ends / gradients x',
        'hardswish / ends / gradients x',
      ),
    ],
  },
  {
    reason: 'What is odd next to 0 keeps the sign of a zero: e^−0 − 1 is −0. PyTorch subtracts, and has 0.',
    exceptions: [...same({ 3: -0 }, 'elu / ends / results', 'celu / ends / results', 'selu / ends / results')],
  },
  {
    reason:
      'A size that stays is not resampled. PyTorch takes four rows of an image of one, of which three count 0 times, and 0 · ∞ is NaN.',
    exceptions: [{ at: 'resizeBicubic / ends / results', fathom: { 2: -Infinity } }],
  },
  {
    reason:
      'The derivative of p·log p is log p + 1, which is −∞ at 0. PyTorch has 0 · ∞ there; the value is 0 in both.',
    exceptions: [{ at: 'klDiv / nothing expected / gradients target', fathom: { 0: -Infinity } }],
  },
  {
    reason:
      'A class that is impossible takes part in no path, and the gradient of the others is a number. PyTorch subtracts −∞ from −∞.',
    exceptions: [{ at: 'ctcLoss / ends / gradients logits', fathom: { 4: 0, 5: 0, 6: 0, 7: 0 } }],
  },
]
