/** The programs whose training step is compared. */

/** A program of the cookbook whose training step is compared, as both sides are told it. */
export interface ProgramCase {
  readonly program: 'gpt' | 'resnet' | 'vit' | 'vae' | 'gan' | 'lstm'
  /** What its builder takes. */
  readonly sizes: Readonly<Record<string, number>>
  readonly batch: number
}

/** The programs by name. */
export const programCases: { readonly [name: string]: ProgramCase } = {
  'GPT 3×96, 64 characters, batch 16': {
    program: 'gpt',
    sizes: { vocabulary: 96, context: 64, width: 96, heads: 4, layers: 3 },
    batch: 16,
  },
  'GPT 4×256, 128 characters, batch 8': {
    program: 'gpt',
    sizes: { vocabulary: 96, context: 128, width: 256, heads: 8, layers: 4 },
    batch: 8,
  },
  'ResNet 16-32-64, batch 64': { program: 'resnet', sizes: { width: 16 }, batch: 64 },
  'ViT 3×64, batch 64': { program: 'vit', sizes: { width: 64, heads: 4, layers: 3 }, batch: 64 },
  'VAE, batch 64': { program: 'vae', sizes: {}, batch: 64 },
  'GAN with R1, batch 32': { program: 'gan', sizes: {}, batch: 32 },
  'LSTM 64, 100 times, batch 32': { program: 'lstm', sizes: { width: 64, length: 100 }, batch: 32 },
}
