/** Which errors of a handler are caused by its machine, disk, network or servers, and not by the frame at hand. Pure. */
import { constants } from 'node:os';
import { codeOf, textOf, type FaultCode } from './fault';

/** A cause that prevents a consumer from handling any frame. */
export interface Trouble {
  readonly code: Extract<FaultCode, 'output-failed' | 'no-ffmpeg' | 'paused'>;
  /** Identifies the trouble; texts name files and differ from frame to frame. */
  readonly kind: string;
  readonly text: string;
}

/** Codes of the system (errno(3)), and of host name look-ups. */
const SYSTEM_CODES: ReadonlySet<string> = new Set([
  ...Object.keys(constants.errno),
  ...['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME', 'EAI_MEMORY', 'EAI_SYSTEM'],
  ...['ERR_MEMORY_ALLOCATION_FAILED', 'ERR_WORKER_OUT_OF_MEMORY', 'ERR_FS_FILE_TOO_LARGE'],
]);
/** Codes of undici, on which fetch() is based: nodejs.org/api/globals.html#fetch. */
const NETWORK_CODE = /^UND_ERR_(CONNECT_TIMEOUT|HEADERS_TIMEOUT|BODY_TIMEOUT|SOCKET)$/;
/** Refusals of a Redis that the handler uses (redis.io/docs/latest/develop/reference/protocol-spec, "Simple errors"). */
const REDIS_REFUSES =
  /^(MISCONF|OOM|LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|BUSY|NOAUTH|WRONGPASS|NOPERM)\b/;
const REDIS_AWAY = /^Connection is closed\.$|^Reached the max retries per request limit/;
const NO_MEMORY = /^(Array buffer allocation failed|Invalid array buffer length)$/;
/** Errors wrap each other; a cycle must not block the consumer. */
const MAX_DEPTH = 8;

/** Undefined for an error that the frame may have caused: it is redelivered up to the queue's delivery limit. */
export function troubleOf(error: unknown): Trouble | undefined {
  let each = error;
  for (let depth = 0; depth < MAX_DEPTH && each !== undefined && each !== null; depth += 1) {
    const kind = kindOf(each);
    if (kind !== undefined) {
      const code = codeOf(error);
      return {
        code: code === 'output-failed' || code === 'no-ffmpeg' ? code : 'paused',
        kind,
        text: describe(error, each),
      };
    }
    each = causeOf(each);
  }
  return undefined;
}

function kindOf(error: unknown): string | undefined {
  const code = codeOf(error) ?? '';
  if (code === 'pause' || code === 'no-ffmpeg') return code;
  if (SYSTEM_CODES.has(code) || NETWORK_CODE.test(code)) return code;
  const text = textOf(error);
  if (NO_MEMORY.test(text)) return 'ENOMEM';
  const [, refusal] = REDIS_REFUSES.exec(text) ?? [];
  return refusal ?? (REDIS_AWAY.test(text) ? 'redis' : undefined);
}

/** Combines two errors: the outer one states where, the inner one why. */
function describe(outer: unknown, inner: unknown): string {
  const [where, why] = [textOf(outer), textOf(inner)];
  if (where.includes(why)) return where;
  return `${where}: ${why === '' ? (codeOf(inner) ?? 'no reason given') : why}`;
}

function causeOf(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('cause' in error && error.cause !== undefined) return error.cause;
  // A host with several addresses fails with one error for each.
  return error instanceof AggregateError ? (error.errors as unknown[])[0] : undefined;
}
