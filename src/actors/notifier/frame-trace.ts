/**
 * The trace of a frame, from its capture to its confirm: a span through OpenTelemetry's API, and its context for the message's
 * header (https://www.w3.org/TR/trace-context/). Loaded only where tracing is wanted.
 */
import { createHash } from 'node:crypto';
import {
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type SpanContext,
} from '@opentelemetry/api';
import { frameId, type Frame } from '../../contract/frame';
import type { FaultRecord } from '../../fault/fault';

export interface FrameTrace {
  /** Value of the header. */
  readonly traceparent: string;
  /** The broker has confirmed the message, or `fault` says why not. */
  end(fault: FaultRecord | undefined): void;
}

export function traceFrame(frame: Frame): FrameTrace {
  const { camera, capturedAt, sequence } = frame;
  const span = trace.getTracer('vigil').startSpan(
    'vigil.frame',
    {
      kind: SpanKind.PRODUCER,
      startTime: capturedAt,
      attributes: {
        'vigil.camera': camera,
        'vigil.sequence': sequence,
        'messaging.message.id': frameId(frame),
      },
    },
    ROOT_CONTEXT,
  );
  const own = span.spanContext();
  // Without an SDK the API makes no ids.
  const { traceId, spanId, traceFlags } = isSpanContextValid(own) ? own : contextOf(frame);
  const flags = (traceFlags & 0xff).toString(16).padStart(2, '0');
  return {
    traceparent: `00-${traceId}-${spanId}-${flags}`,
    end: (fault) => {
      if (fault !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: fault.code });
      span.end();
    },
  };
}

/** Identical for each announcement of the frame. */
function contextOf(frame: Frame): SpanContext {
  const digits = createHash('sha256').update(frameId(frame)).digest('hex');
  return { traceId: digits.slice(0, 32), spanId: digits.slice(32, 48), traceFlags: TraceFlags.SAMPLED };
}
