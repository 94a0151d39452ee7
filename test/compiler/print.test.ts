/** Graphs and plans as text: what a reader sees. */
import { describe, expect, it } from 'vitest'
import { printPlan, showBytes, showFlops } from '../../src/compiler/print.ts'
import { printGraph } from '../../src/graph/print.ts'
import { makeNode } from '../../src/graph/node.ts'
import { full, zeros } from '../../src/tensor/create.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice } from '../support/device.ts'

/** A linear layer with a nonlinearity: tanh(x·w + b). */
const layer = (x: Tensor, w: Tensor, b: Tensor): Tensor => x.matmul(w).add(b).tanh()

const shapes = [[32, 64], [64, 16], [16]] as const

describe('printing', () => {
  it('a graph: one line a node, in the order of the program', () => {
    const [x, w, b] = shapes.map(
      (shape, index) => new Tensor(makeNode('parameter', { index, shape, dtype: 'f32' }, [])),
    ) as [Tensor, Tensor, Tensor]
    expect(printGraph([layer(x, w, b).mul(0.5).sum(1).node])).toBe(GRAPH)
  })

  it('a literal by its value, whatever its dtype', () => {
    expect(printGraph([full([], 0.5, 'f16').node])).toBe('%0 = constant (0.5) : f16[]\nreturn %0')
  })

  it('a plan: one line a kernel, and the totals', () => {
    const [x, w, b] = shapes.map((shape) => zeros(shape)) as [Tensor, Tensor, Tensor]
    expect(printPlan(cpuDevice().compile(layer).plan(x, w, b))).toBe(PLAN)
  })

  it('a plan without kernels', () => {
    expect(
      printPlan(
        cpuDevice()
          .compile(() => [])
          .plan(),
      ),
    ).toBe('0 kernels · 0 FLOP · arguments 0 B · outputs 0 B · arena 0 B')
  })

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [1536, '1.54 kB'],
    [123_456_789, '123 MB'],
    [12_345_678_901, '12.3 GB'],
  ])('%i bytes as %s', (n, text) => {
    expect(showBytes(n)).toBe(text)
  })

  it('work in FLOP', () => {
    expect(showFlops(2_500_000)).toBe('2.50 MFLOP')
  })
})

const GRAPH = `%0 = parameter (argument 0) : f32[32,64]
%1 = parameter (argument 1) : f32[64,16]
%2 = parameter (argument 2) : f32[16]
%3 = dotGeneral %0 %1 (contract:[[1],[0]],batch:[[],[]],dtype:f32) : f32[32,16]
%4 = broadcast %2 (axes [0]) : f32[32,16]
%5 = add %3 %4 : f32[32,16]
%6 = tanh %5 : f32[32,16]
%7 = constant (0.5) : f32[]
%8 = broadcast %7 (axes [0,1]) : f32[32,16]
%9 = mul %6 %8 : f32[32,16]
%10 = reduceSum %9 (axes [1]) : f32[32]
return %10`

const PLAN = `kind  writes        computes             reads                 work        traffic  ends because
gemm  out0:f32×512  dotGeneral add tanh  reads arg0 arg1 arg2  66.6 kFLOP  14.4 kB  output
1 kernels · 66.6 kFLOP · arguments 12.4 kB · outputs 2.05 kB · arena 0 B`
