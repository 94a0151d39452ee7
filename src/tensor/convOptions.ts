/** The names of what convolutions can be told, for those that are told more. */

/** The names of `ConvOptions`. */
export const convOptions = ['stride', 'padding', 'paddingMode', 'dilation', 'groups'] as const

/** The names of `ConvTransposeOptions`. */
export const convTransposeOptions = ['stride', 'padding', 'outputPadding', 'dilation', 'groups'] as const
