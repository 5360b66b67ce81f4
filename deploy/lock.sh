#!/bin/sh
# Renew requirements.lock and requirements-dev.lock: every package with its hashes, no index named.
set -eu
compile=${1:-pip-compile}
flags="--quiet --generate-hashes --strip-extras --no-header --no-annotate --allow-unsafe
  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host"
build=$(mktemp)
trap 'rm -f "$build"' EXIT
echo 'flit_core>=4,<5' >"$build"   # the build backend, so that installing needs no index
# shellcheck disable=SC2086
$compile $flags -o requirements.lock pyproject.toml "$build"
# shellcheck disable=SC2086
$compile $flags --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml "$build"
