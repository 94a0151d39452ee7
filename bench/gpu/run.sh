#!/bin/sh
# Measures the GPU of this machine, beside PyTorch where a Python has it: results as JSON and as text in $OUT (./results).
#
#     ./run.sh                       # a GPU: five minutes at most
#     ./run.sh --minutes 15          # time for the forms of all contractions, and for torch.compile
#     ./run.sh --software --small    # whether everything runs, on a program that plays a GPU
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if ! command -v node > /dev/null; then
  echo "run.sh: there is no node on the path; install Node 20 or newer (it is one binary), and put it there" >&2
  exit 1
fi
major=$(node -p 'process.versions.node.split(".")[0]')
if [ "$major" -lt 20 ]; then
  echo "run.sh: Node $(node --version) is too old; it takes Node 20 or newer" >&2
  exit 1
fi
exec node "$here/bench/gpu/main.js" --out "${OUT:-./results}" "$@"
