#!/usr/bin/env bash
# Builds the example programs: *.c to WASI programs, *.wat to plain modules.
# Needs: apt-get install clang lld wasi-libc libclang-rt-14-dev-wasm32 wabt
#
#   ./build.sh [FOLDER]   writes to FOLDER, by default beside the sources, and then their hashes too
#
# The hashes (SHA256SUMS) cover sources and programs; `cargo xtask lint` checks them, and builds anew
# to compare where the packages above are installed in the versions of TOOLS.
set -euo pipefail
cd "$(dirname "$0")"
out=${1:-.}

for source in *.c; do
    # Without names, paths and producers the same compiler writes the same bytes everywhere.
    clang --target=wasm32-wasi -O2 -flto -Wall -Wextra -Werror -Wl,--strip-all -Wl,--stack-first -Wl,-z,stack-size=131072 \
        -o "$out/${source%.c}.wasm" "$source"
done
for source in *.wat; do
    wat2wasm "$source" -o "$out/${source%.wat}.wasm"
done

if [ "$out" = . ]; then
    { clang --version | sed -n 1p; echo "wabt $(wat2wasm --version)"; } >TOOLS
    sha256sum -- *.c *.h *.wat *.wasm TOOLS >SHA256SUMS
fi
