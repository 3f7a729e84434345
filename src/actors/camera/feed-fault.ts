/** What ffmpeg says when a feed fails, in a person's words. The rules are a table, tried in order. */
import type { CameraSource } from '../../config/topology';
import { redactText, redactUrl } from '../../config/url';
import type { FaultRecord } from '../../protocol/fault';

interface Rule {
  readonly pattern: RegExp;
  readonly code: string;
  /** Follows "<where> ". */
  readonly sentence: string;
}

const RULES: readonly Rule[] = [
  {
    pattern: /401 Unauthorized|403 Forbidden|authorization failed|access denied/i,
    code: 'unauthorized',
    sentence: 'refused the user name or password; check "username" and "password" of this camera',
  },
  {
    pattern: /404 Not Found|Stream not found|Not ?Found/i,
    code: 'not-found',
    sentence: 'answers, but has no stream of that path (404); check the path of the URL',
  },
  {
    pattern: /453 Not Enough Bandwidth|503 Service Unavailable|too many/i,
    code: 'too-many-sessions',
    sentence: 'has no room for another viewer; close other clients of this camera',
  },
  {
    pattern: /Connection refused/i,
    code: 'refused',
    sentence: 'refuses connections; check the port, and that the camera serves this protocol',
  },
  {
    pattern: /No route to host|Network is unreachable|Host is unreachable/i,
    code: 'unreachable',
    sentence: 'cannot be reached; check the address and the network',
  },
  {
    pattern: /Failed to resolve|Name or service not known|Temporary failure in name resolution/i,
    code: 'unknown-host',
    sentence: 'has a name that cannot be resolved; check the host in the URL',
  },
  {
    pattern: /timed out|ETIMEDOUT/i,
    code: 'timeout',
    sentence: 'does not answer in time; check the address, and that nothing between blocks it',
  },
  {
    pattern: /TLS|SSL|certificate/i,
    code: 'tls',
    sentence: 'cannot be spoken to over TLS; check that it serves the encrypted protocol on this port',
  },
  {
    pattern: /461 Unsupported Transport/i,
    code: 'transport',
    sentence: 'does not offer this transport; set "transport" to the other of "tcp" and "udp"',
  },
  { pattern: /No such file or directory/i, code: 'no-file', sentence: 'does not exist; check the path' },
  {
    pattern: /Permission denied/i,
    code: 'no-permission',
    sentence: 'may not be read by this user; check its permissions',
  },
  {
    pattern:
      /Invalid data found|matches no streams|could not find codec|Invalid argument|Error number -\d+ occurred|Impossible to open/i,
    code: 'not-a-stream',
    sentence: 'answers, but not with video; check that the URL is that of a stream',
  },
];

/** The feed's name in sentences: never with credentials. */
export function feedName(source: CameraSource): string {
  switch (source.kind) {
    case 'stream':
      return redactUrl(source.url);
    case 'file':
      return `file ${source.path}`;
    case 'test':
      return `test picture ${source.pattern}`;
  }
}

/** Why ffmpeg gave up a feed before its first picture, from what it wrote on standard error. */
export function openFault(source: CameraSource, stderr: string): FaultRecord {
  const rule = RULES.find(({ pattern }) => pattern.test(stderr));
  if (rule !== undefined) return { code: rule.code, message: `${feedName(source)} ${rule.sentence}` };
  const said = redactText(stderr.trim().split('\n').at(-1) ?? '').slice(0, 200);
  return {
    code: 'failed',
    message: `${feedName(source)} could not be opened; ffmpeg said: ${said || '(nothing)'}`,
  };
}
