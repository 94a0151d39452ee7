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

# Vulkan: servers for computing often lack its loader, which the bundle brings, or keep NVIDIA's driver where the loader does not look.
knows() {
  { ldconfig -p 2> /dev/null || /sbin/ldconfig -p 2> /dev/null; } | grep "$1" > /dev/null
}
if [ "$(uname)" = Linux ]; then
  if ! knows libvulkan.so.1 && [ -f "$here/vulkan/libvulkan.so.1" ]; then
    echo "run.sh: Vulkan's loader is not installed here; the bundle's is taken"
    export LD_LIBRARY_PATH="$here/vulkan${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  fi
  if [ -z "${VK_ICD_FILENAMES:-}${VK_DRIVER_FILES:-}" ] && ! ls /etc/vulkan/icd.d/nvidia*.json /usr/share/vulkan/icd.d/nvidia*.json 2> /dev/null | grep . > /dev/null; then
    elsewhere=/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json
    if [ -f "$elsewhere" ]; then
      export VK_DRIVER_FILES="$elsewhere"
    elif knows libGLX_nvidia.so.0; then
      mkdir -p "${OUT:-./results}"
      export VK_DRIVER_FILES="$(cd "${OUT:-./results}" && pwd)/nvidia_icd.json"
      echo '{"file_format_version": "1.0.0", "ICD": {"library_path": "libGLX_nvidia.so.0", "api_version": "1.3.0"}}' > "$VK_DRIVER_FILES"
    fi
    [ -z "${VK_DRIVER_FILES:-}" ] || echo "run.sh: the driver of Vulkan is named by VK_DRIVER_FILES=$VK_DRIVER_FILES"
  fi
fi
exec node "$here/bench/gpu/main.js" --out "${OUT:-./results}" "$@"
