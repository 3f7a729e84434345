/** W3C Trace Context of a message (w3.org/TR/trace-context), to be passed on. Pure. */

/** Versions after 00 may have more fields; version ff, and ids of zeros, are not valid. */
const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.{0,400})?$/;
const MAX_STATE_CHARS = 512;

export interface TraceContext {
  readonly traceparent?: string;
  readonly tracestate?: string;
}

/** From the message's headers, else from the event's attributes of the same names; empty if none is valid. */
export function traceContext(
  headers: Readonly<Record<string, unknown>>,
  event: Readonly<Record<string, unknown>>,
): TraceContext {
  const read = (name: string) => {
    const value = headers[name] ?? event[name];
    return typeof value === 'string' ? value : undefined;
  };
  const [traceparent, tracestate] = [read('traceparent'), read('tracestate')];
  if (traceparent === undefined || !TRACEPARENT.test(traceparent)) return {};
  return {
    traceparent,
    ...(tracestate === undefined ? {} : { tracestate: tracestate.slice(0, MAX_STATE_CHARS) }),
  };
}
