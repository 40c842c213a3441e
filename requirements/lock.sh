#!/bin/sh
# Writes the lock files anew from pyproject.toml. Needs uv (pip install uv).
set -eu
cd "$(dirname "$0")/.."
lock() {
    out=$1
    shift
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        --no-emit-find-links --custom-compile-command "requirements/lock.sh" "$@" pyproject.toml -o "requirements/$out"
}
lock production.txt
lock demo.txt --extra embedded
lock dev.txt --extra embedded --extra dev
