# shellcheck shell=sh
# Sourced by start.sh and test.sh: run_setup runs the set-up and leaves with its exit code unless that is 0.
: "${root:?the folder of the package}"

run_setup() {
  told_to_stop=
  # A shell that waits for a command in the foreground runs its traps only after it. So the set-up runs in the
  # background, where SIGTERM, which npm sends to this shell alone, can be passed on at once.
  # -r: also a Node that is too old to know .mjs gets to the sentence that says so.
  node -r "$root/scripts/setup/require-node.cjs" "$root/scripts/setup.mjs" "$@" &
  setup=$!
  trap 'told_to_stop=129; kill -TERM "$setup" || :' HUP
  trap 'told_to_stop=130; kill -TERM "$setup" || :' INT
  trap 'told_to_stop=143; kill -TERM "$setup" || :' TERM
  status=0
  wait "$setup" || status=$?
  # A trap ends `wait` early, and the set-up may take a while to stop.
  while kill -0 "$setup" 2>/dev/null; do
    status=0
    wait "$setup" || status=$?
  done
  trap - HUP INT TERM
  if [ -n "$told_to_stop" ]; then exit "$told_to_stop"; fi
  if [ "$status" -ne 0 ]; then exit "$status"; fi
}

if ! command -v node >/dev/null; then
  echo 'vigil setup: Node.js was not found; install version 20.9 or newer, then try again.' >&2
  exit 69
fi
