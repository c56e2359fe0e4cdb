#!/bin/sh
# Writes the lock files (with hashes, without the address of any package index) from the .in files.
cd "$(dirname "$0")/.." || exit 1
. scripts/env.sh
use_environment requirements-dev.txt
lock() {
    "$VENV/bin/uv" pip compile -q --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
        --no-emit-find-links "$1" -o "$2"
}
lock requirements.in requirements.txt
lock requirements-dev.in requirements-dev.txt
