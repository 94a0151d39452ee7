/** The rates of Adam and of the moving average of the weights, on all sides. */
export const rates = { learningRate: 1e-4, beta1: 0.9, beta2: 0.99, decay: 0.995 } as const
