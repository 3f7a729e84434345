#!/bin/sh
# Set-up, then the daemon in place of this shell: npm's SIGTERM and SIGINT must reach it, and its exit code npm.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
. "$root/scripts/setup/run.sh"

# npm runs scripts in the package's folder; `--config x` means the folder the caller was in. The variables outlive
# the npm that set them, in shells and services started from it: they count only when they speak of this package.
if [ -n "${INIT_CWD:-}" ] && [ -n "${npm_package_json:-}" ]; then
  if [ "$(cd "$(dirname "$npm_package_json")" 2>/dev/null && pwd -P)" = "$root" ]; then cd "$INIT_CWD"; fi
fi
unset INIT_CWD

run_setup start "$@"
exec node "$root/dist/main.js" "$@"
