#!/bin/sh
# Asks an advisory service about every package of a lock file. Usage: audit.sh PIP-AUDIT LOCK [OPTION...]
# Ends with 1 where a version is known to be vulnerable, where the service cannot be reached, and where it does not know a
# package: what nobody could look up is named and never passes as sound.
set -u
tool=$1 lock=$2
shift 2
said=$("$tool" --require-hashes --disable-pip --progress-spinner off -r "$lock" "$@" 2>&1)
status=$?
printf '%s\n' "$said"
if [ "$status" -ne 0 ]; then
  echo "audit of $lock: vulnerabilities found, or the advisory service cannot be reached (see above)" >&2
  exit 1
fi
if printf '%s\n' "$said" | grep -q 'Skip Reason'; then
  echo "audit of $lock: nothing known against the others, but what is listed above could not be looked up" >&2
  exit 1
fi
