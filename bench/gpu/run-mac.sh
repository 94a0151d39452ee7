#!/bin/sh
# NEVER RUN: written without a Mac. The same as run.sh beside MLX and PyTorch's MPS, with what Python has of them.
# The bundle must be made with --platform darwin-universal.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
exec "$here/run.sh" --mac "$@"
