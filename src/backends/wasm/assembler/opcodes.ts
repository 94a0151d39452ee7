/**
 * The instructions of WebAssembly that fathom writes: opcode, immediates, operand and result types. Numbers are those of the core
 * specification 2.0 (appendix "Index of Instructions"), of its SIMD and relaxed SIMD chapters, and of the threads proposal.
 */

/** Types of values. */
export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128'

/** What stands behind an opcode: an address offset with its alignment, a lane, the index of a function or a local, or nothing. */
export type Immediate = 'none' | 'memory' | 'lane' | 'memory lane' | 'shuffle'

/** One instruction: its bytes, immediates, and types from the stack and onto it. */
export interface Opcode {
  readonly bytes: readonly number[]
  readonly immediate: Immediate
  readonly operands: readonly ValueType[]
  readonly result: ValueType | undefined
  /** log₂ of the bytes that a memory instruction touches. */
  readonly alignment: number
}

const leb = (n: number): readonly number[] => (n < 128 ? [n] : [(n & 127) | 128, ...leb(n >>> 7)])

const plain = (byte: number, operands: readonly ValueType[], result: ValueType): Opcode => ({
  bytes: [byte],
  immediate: 'none',
  operands,
  result,
  alignment: 0,
})

const simd = (
  code: number,
  operands: readonly ValueType[],
  result: ValueType | undefined,
  immediate: Immediate = 'none',
  alignment = 0,
): Opcode => ({ bytes: [0xfd, ...leb(code)], immediate, operands, result, alignment })

const load = (byte: number, result: ValueType, alignment: number): Opcode => ({
  bytes: [byte],
  immediate: 'memory',
  operands: ['i32'],
  result,
  alignment,
})

const store = (byte: number, value: ValueType, alignment: number): Opcode => ({
  bytes: [byte],
  immediate: 'memory',
  operands: ['i32', value],
  result: undefined,
  alignment,
})

const atomic = (
  code: number,
  operands: readonly ValueType[],
  result: ValueType | undefined,
  alignment = 2,
): Opcode => ({
  bytes: [0xfe, code],
  immediate: 'memory',
  operands,
  result,
  alignment,
})

const v = 'v128'

/** All instructions without structure, by the name of the text format. */
export const opcodes = {
  // memory
  'i32.load': load(0x28, 'i32', 2),
  'i64.load': load(0x29, 'i64', 3),
  'f32.load': load(0x2a, 'f32', 2),
  'f64.load': load(0x2b, 'f64', 3),
  'i32.load8_u': load(0x2d, 'i32', 0),
  'i32.load16_u': load(0x2f, 'i32', 1),
  'i32.store': store(0x36, 'i32', 2),
  'i64.store': store(0x37, 'i64', 3),
  'f32.store': store(0x38, 'f32', 2),
  'f64.store': store(0x39, 'f64', 3),
  'i32.store8': store(0x3a, 'i32', 0),
  'i32.store16': store(0x3b, 'i32', 1),
  // to, a byte, how many bytes
  'memory.fill': { ...plain(0xfc, ['i32', 'i32', 'i32'], 'i32'), bytes: [0xfc, 11, 0], result: undefined },
  // i32
  'i32.eqz': plain(0x45, ['i32'], 'i32'),
  'i32.eq': plain(0x46, ['i32', 'i32'], 'i32'),
  'i32.ne': plain(0x47, ['i32', 'i32'], 'i32'),
  'i32.lt_s': plain(0x48, ['i32', 'i32'], 'i32'),
  'i32.lt_u': plain(0x49, ['i32', 'i32'], 'i32'),
  'i32.gt_s': plain(0x4a, ['i32', 'i32'], 'i32'),
  'i32.gt_u': plain(0x4b, ['i32', 'i32'], 'i32'),
  'i32.le_s': plain(0x4c, ['i32', 'i32'], 'i32'),
  'i32.ge_s': plain(0x4e, ['i32', 'i32'], 'i32'),
  'i32.ge_u': plain(0x4f, ['i32', 'i32'], 'i32'),
  'i32.clz': plain(0x67, ['i32'], 'i32'),
  'i32.add': plain(0x6a, ['i32', 'i32'], 'i32'),
  'i32.sub': plain(0x6b, ['i32', 'i32'], 'i32'),
  'i32.mul': plain(0x6c, ['i32', 'i32'], 'i32'),
  'i32.div_s': plain(0x6d, ['i32', 'i32'], 'i32'),
  'i32.div_u': plain(0x6e, ['i32', 'i32'], 'i32'),
  'i32.rem_s': plain(0x6f, ['i32', 'i32'], 'i32'),
  'i32.rem_u': plain(0x70, ['i32', 'i32'], 'i32'),
  'i32.and': plain(0x71, ['i32', 'i32'], 'i32'),
  'i32.or': plain(0x72, ['i32', 'i32'], 'i32'),
  'i32.xor': plain(0x73, ['i32', 'i32'], 'i32'),
  'i32.shl': plain(0x74, ['i32', 'i32'], 'i32'),
  'i32.shr_s': plain(0x75, ['i32', 'i32'], 'i32'),
  'i32.shr_u': plain(0x76, ['i32', 'i32'], 'i32'),
  // i64: bits of doubles
  'i64.eq': plain(0x51, ['i64', 'i64'], 'i32'),
  'i64.add': plain(0x7c, ['i64', 'i64'], 'i64'),
  'i64.sub': plain(0x7d, ['i64', 'i64'], 'i64'),
  'i64.mul': plain(0x7e, ['i64', 'i64'], 'i64'),
  'i64.and': plain(0x83, ['i64', 'i64'], 'i64'),
  'i64.or': plain(0x84, ['i64', 'i64'], 'i64'),
  'i64.shl': plain(0x86, ['i64', 'i64'], 'i64'),
  'i64.shr_s': plain(0x87, ['i64', 'i64'], 'i64'),
  'i64.shr_u': plain(0x88, ['i64', 'i64'], 'i64'),
  // f32
  'f32.eq': plain(0x5b, ['f32', 'f32'], 'i32'),
  'f32.ne': plain(0x5c, ['f32', 'f32'], 'i32'),
  'f32.lt': plain(0x5d, ['f32', 'f32'], 'i32'),
  'f32.gt': plain(0x5e, ['f32', 'f32'], 'i32'),
  'f32.le': plain(0x5f, ['f32', 'f32'], 'i32'),
  'f32.ge': plain(0x60, ['f32', 'f32'], 'i32'),
  'f32.abs': plain(0x8b, ['f32'], 'f32'),
  'f32.neg': plain(0x8c, ['f32'], 'f32'),
  'f32.floor': plain(0x8e, ['f32'], 'f32'),
  'f32.trunc': plain(0x8f, ['f32'], 'f32'),
  'f32.nearest': plain(0x90, ['f32'], 'f32'),
  'f32.sqrt': plain(0x91, ['f32'], 'f32'),
  'f32.add': plain(0x92, ['f32', 'f32'], 'f32'),
  'f32.sub': plain(0x93, ['f32', 'f32'], 'f32'),
  'f32.mul': plain(0x94, ['f32', 'f32'], 'f32'),
  'f32.div': plain(0x95, ['f32', 'f32'], 'f32'),
  'f32.min': plain(0x96, ['f32', 'f32'], 'f32'),
  'f32.max': plain(0x97, ['f32', 'f32'], 'f32'),
  'f32.copysign': plain(0x98, ['f32', 'f32'], 'f32'),
  // f64
  'f64.eq': plain(0x61, ['f64', 'f64'], 'i32'),
  'f64.ne': plain(0x62, ['f64', 'f64'], 'i32'),
  'f64.lt': plain(0x63, ['f64', 'f64'], 'i32'),
  'f64.gt': plain(0x64, ['f64', 'f64'], 'i32'),
  'f64.le': plain(0x65, ['f64', 'f64'], 'i32'),
  'f64.ge': plain(0x66, ['f64', 'f64'], 'i32'),
  'f64.abs': plain(0x99, ['f64'], 'f64'),
  'f64.neg': plain(0x9a, ['f64'], 'f64'),
  'f64.floor': plain(0x9c, ['f64'], 'f64'),
  'f64.trunc': plain(0x9d, ['f64'], 'f64'),
  'f64.nearest': plain(0x9e, ['f64'], 'f64'),
  'f64.sqrt': plain(0x9f, ['f64'], 'f64'),
  'f64.add': plain(0xa0, ['f64', 'f64'], 'f64'),
  'f64.sub': plain(0xa1, ['f64', 'f64'], 'f64'),
  'f64.mul': plain(0xa2, ['f64', 'f64'], 'f64'),
  'f64.div': plain(0xa3, ['f64', 'f64'], 'f64'),
  'f64.min': plain(0xa4, ['f64', 'f64'], 'f64'),
  'f64.max': plain(0xa5, ['f64', 'f64'], 'f64'),
  'f64.copysign': plain(0xa6, ['f64', 'f64'], 'f64'),
  // conversions
  'i32.wrap_i64': plain(0xa7, ['i64'], 'i32'),
  'i64.extend_i32_s': plain(0xac, ['i32'], 'i64'),
  'i64.extend_i32_u': plain(0xad, ['i32'], 'i64'),
  'f32.convert_i32_s': plain(0xb2, ['i32'], 'f32'),
  'f32.convert_i32_u': plain(0xb3, ['i32'], 'f32'),
  'f32.demote_f64': plain(0xb6, ['f64'], 'f32'),
  'f64.convert_i32_s': plain(0xb7, ['i32'], 'f64'),
  'f64.convert_i32_u': plain(0xb8, ['i32'], 'f64'),
  'f64.convert_i64_s': plain(0xb9, ['i64'], 'f64'),
  'f64.promote_f32': plain(0xbb, ['f32'], 'f64'),
  'i32.reinterpret_f32': plain(0xbc, ['f32'], 'i32'),
  'i64.reinterpret_f64': plain(0xbd, ['f64'], 'i64'),
  'f32.reinterpret_i32': plain(0xbe, ['i32'], 'f32'),
  'f64.reinterpret_i64': plain(0xbf, ['i64'], 'f64'),
  'i32.trunc_sat_f64_s': { ...plain(0xfc, ['f64'], 'i32'), bytes: [0xfc, 2] },
  'i32.trunc_sat_f64_u': { ...plain(0xfc, ['f64'], 'i32'), bytes: [0xfc, 3] },
  'i64.trunc_sat_f64_s': { ...plain(0xfc, ['f64'], 'i64'), bytes: [0xfc, 6] },
  // vectors: memory
  'v128.load': simd(0, ['i32'], v, 'memory', 4),
  'v128.load8_splat': simd(7, ['i32'], v, 'memory', 0),
  'v128.load32_splat': simd(9, ['i32'], v, 'memory', 2),
  'v128.load64_splat': simd(10, ['i32'], v, 'memory', 3),
  'v128.store': simd(11, ['i32', v], undefined, 'memory', 4),
  'v128.load32_zero': simd(92, ['i32'], v, 'memory', 2),
  'v128.load64_zero': simd(93, ['i32'], v, 'memory', 3),
  'v128.load8_lane': simd(84, ['i32', v], v, 'memory lane', 0),
  'v128.load32_lane': simd(86, ['i32', v], v, 'memory lane', 2),
  'v128.store8_lane': simd(88, ['i32', v], undefined, 'memory lane', 0),
  'v128.store32_lane': simd(90, ['i32', v], undefined, 'memory lane', 2),
  'v128.store64_lane': simd(91, ['i32', v], undefined, 'memory lane', 3),
  // vectors: lanes
  'i8x16.shuffle': simd(13, [v, v], v, 'shuffle'),
  'i32x4.splat': simd(17, ['i32'], v),
  'f32x4.splat': simd(19, ['f32'], v),
  'f64x2.splat': simd(20, ['f64'], v),
  'i32x4.extract_lane': simd(27, [v], 'i32', 'lane'),
  'i32x4.replace_lane': simd(28, [v, 'i32'], v, 'lane'),
  'f32x4.extract_lane': simd(31, [v], 'f32', 'lane'),
  'f32x4.replace_lane': simd(32, [v, 'f32'], v, 'lane'),
  'f64x2.extract_lane': simd(33, [v], 'f64', 'lane'),
  'f64x2.replace_lane': simd(34, [v, 'f64'], v, 'lane'),
  // vectors: bits
  'v128.not': simd(77, [v], v),
  'v128.and': simd(78, [v, v], v),
  'v128.andnot': simd(79, [v, v], v),
  'v128.or': simd(80, [v, v], v),
  'v128.xor': simd(81, [v, v], v),
  'v128.bitselect': simd(82, [v, v, v], v),
  'v128.any_true': simd(83, [v], 'i32'),
  // vectors: i32
  'i32x4.eq': simd(55, [v, v], v),
  'i32x4.ne': simd(56, [v, v], v),
  'i32x4.lt_s': simd(57, [v, v], v),
  'i32x4.lt_u': simd(58, [v, v], v),
  'i32x4.abs': simd(160, [v], v),
  'i32x4.neg': simd(161, [v], v),
  'i32x4.shl': simd(171, [v, 'i32'], v),
  'i32x4.shr_s': simd(172, [v, 'i32'], v),
  'i32x4.shr_u': simd(173, [v, 'i32'], v),
  'i32x4.add': simd(174, [v, v], v),
  'i32x4.sub': simd(177, [v, v], v),
  'i32x4.mul': simd(181, [v, v], v),
  'i32x4.min_s': simd(182, [v, v], v),
  'i32x4.min_u': simd(183, [v, v], v),
  'i32x4.max_s': simd(184, [v, v], v),
  'i32x4.max_u': simd(185, [v, v], v),
  // vectors: f32
  'f32x4.eq': simd(65, [v, v], v),
  'f32x4.ne': simd(66, [v, v], v),
  'f32x4.lt': simd(67, [v, v], v),
  'f32x4.gt': simd(68, [v, v], v),
  'f32x4.le': simd(69, [v, v], v),
  'f32x4.ge': simd(70, [v, v], v),
  'f32x4.floor': simd(104, [v], v),
  'f32x4.trunc': simd(105, [v], v),
  'f32x4.abs': simd(224, [v], v),
  'f32x4.neg': simd(225, [v], v),
  'f32x4.sqrt': simd(227, [v], v),
  'f32x4.add': simd(228, [v, v], v),
  'f32x4.sub': simd(229, [v, v], v),
  'f32x4.mul': simd(230, [v, v], v),
  'f32x4.div': simd(231, [v, v], v),
  'f32x4.min': simd(232, [v, v], v),
  'f32x4.max': simd(233, [v, v], v),
  'f32x4.pmin': simd(234, [v, v], v),
  'f32x4.pmax': simd(235, [v, v], v),
  'f32x4.convert_i32x4_s': simd(250, [v], v),
  'f32x4.convert_i32x4_u': simd(251, [v], v),
  'i32x4.trunc_sat_f32x4_s': simd(248, [v], v),
  'i32x4.trunc_sat_f32x4_u': simd(249, [v], v),
  'i16x8.extend_low_i8x16_u': simd(137, [v], v),
  'i32x4.extend_low_i16x8_u': simd(169, [v], v),
  'i32x4.trunc_sat_f64x2_s_zero': simd(252, [v], v),
  'i32x4.trunc_sat_f64x2_u_zero': simd(253, [v], v),
  'f64x2.convert_low_i32x4_s': simd(254, [v], v),
  'f64x2.convert_low_i32x4_u': simd(255, [v], v),
  'f32x4.demote_f64x2_zero': simd(94, [v], v),
  'f64x2.promote_low_f32x4': simd(95, [v], v),
  // vectors: f64
  'f64x2.abs': simd(236, [v], v),
  'f64x2.neg': simd(237, [v], v),
  'f64x2.sqrt': simd(239, [v], v),
  'f64x2.add': simd(240, [v, v], v),
  'f64x2.sub': simd(241, [v, v], v),
  'f64x2.mul': simd(242, [v, v], v),
  'f64x2.div': simd(243, [v, v], v),
  // relaxed SIMD: x·y + z, rounded once where the machine can
  'f32x4.relaxed_madd': simd(0x105, [v, v, v], v),
  'f64x2.relaxed_madd': simd(0x107, [v, v, v], v),
  // threads
  'memory.atomic.notify': atomic(0x00, ['i32', 'i32'], 'i32'),
  'memory.atomic.wait32': atomic(0x01, ['i32', 'i32', 'i64'], 'i32'),
  'i32.atomic.load': atomic(0x10, ['i32'], 'i32'),
  'i32.atomic.store': atomic(0x17, ['i32', 'i32'], undefined),
  'i64.atomic.load': atomic(0x11, ['i32'], 'i64', 3),
  'i64.atomic.store': atomic(0x18, ['i32', 'i64'], undefined, 3),
  'i32.atomic.rmw.add': atomic(0x1e, ['i32', 'i32'], 'i32'),
  'i64.atomic.rmw.cmpxchg': atomic(0x49, ['i32', 'i64', 'i64'], 'i64', 3),
} as const satisfies Readonly<Record<string, Opcode>>

/** The name of an instruction without structure. */
export type OpcodeName = keyof typeof opcodes
