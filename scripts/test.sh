#!/bin/sh
# Set-up, then all checks; the arguments go to the test runner. The first that fails ends it with its exit code.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
. "$root/scripts/setup/run.sh"
cd "$root"

run_setup test
npm run lint
npm run typecheck
exec node --import tsx scripts/run-tests.ts "$@"
