/** Which Python has PyTorch, and what to do when none has. */
import { spawnSync } from 'node:child_process'
import process from 'node:process'

/** What to install. */
export const howToInstall = `no Python with PyTorch was found. On Debian:

    apt-get install python3-torch libopenblas0-openmp

or elsewhere \`pip install torch\`. PYTHON=/path/to/python names another one.`

/** Debian's packages are seen by its own Python, which need not be the first of the path. */
const candidates = (): readonly string[] =>
  process.env['PYTHON'] === undefined ? ['/usr/bin/python3', 'python3', 'python'] : [process.env['PYTHON']]

/** The first Python that imports torch. */
export const findPython = (): string | undefined =>
  candidates().find((command) => spawnSync(command, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0)
