/** Variables that our processes inherit; others in the daemon's environment may be secrets. */

const INHERITED =
  /^(PATH|HOME|TMPDIR|TZ|TERM|LANG|LC_.*|NODE_.*|NO_COLOR|MALLOC_ARENA_MAX|SSL_CERT_.*|TSX_.*)$/;

export function inheritedVariables(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([key]) => INHERITED.test(key)));
}
