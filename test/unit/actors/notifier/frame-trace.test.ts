/** The trace of a frame: its header with and without a tracer, and the span an operator's SDK gets. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { trace, type Span, type SpanOptions, type Tracer } from '@opentelemetry/api';
import { traceFrame } from '../../../../src/actors/notifier/frame-trace';
import { publishOptions } from '../../../../src/actors/notifier/outgoing-message';
import { queueMessage } from '../../../../src/consumer/queue-message';
import { traceContext } from '../../../../src/consumer/trace-context';
import { frameSampled } from '../../../../src/contract/events';
import { FRAME } from '../../contract/samples';

const event = frameSampled('vigil', FRAME, false, FRAME.capturedAt);
const publication = { exchange: 'x', routingKey: 'k', event, mandatory: true };

/** As the consumer kit reads it. */
function received(headers: unknown): string | undefined {
  const message = { content: Buffer.of(), fields: { redelivered: false }, properties: { headers } };
  return traceContext(queueMessage({} as never, message as never).origin?.headers ?? {}, {}).traceparent;
}

describe('the trace of a frame', () => {
  after(() => trace.disable());

  it('has a well-formed header without a tracer, the same for each announcement of the frame', () => {
    const { traceparent } = traceFrame(FRAME);
    assert.match(traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    assert.equal(traceFrame({ ...FRAME }).traceparent, traceparent);
    assert.notEqual(traceFrame({ ...FRAME, capturedAt: FRAME.capturedAt + 1 }).traceparent, traceparent);
  });

  it('travels in the header of the message, and is absent without tracing', () => {
    const { traceparent } = traceFrame(FRAME);
    assert.deepEqual(publishOptions({ ...publication, traceparent }, 0).headers, { traceparent });
    assert.ok(!('headers' in publishOptions(publication, 0)));
    assert.equal(received({ traceparent }), traceparent);
  });

  it('is not passed to a consumer if the header is invalid', () => {
    const zero = `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`;
    for (const value of [
      undefined,
      7,
      '',
      'x',
      zero,
      `ff-${'1'.repeat(32)}-${'1'.repeat(16)}-01`,
      `00-${'A'.repeat(32)}-${'1'.repeat(16)}-01`,
    ])
      assert.equal(received({ traceparent: value }), undefined);
    assert.equal(received(undefined), undefined);
  });

  it('is one span from the capture to the confirm, whose ids are in the header', () => {
    const spans: { name: string; options: SpanOptions; status?: unknown; ended?: true }[] = [];
    const ids = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 0 };
    const startSpan = (name: string, options: SpanOptions = {}) => {
      const span: (typeof spans)[number] = { name, options };
      spans.push(span);
      return {
        spanContext: () => ids,
        setStatus: (status: unknown) => (span.status = status),
        end: () => (span.ended = true),
      } as unknown as Span;
    };
    trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan }) as unknown as Tracer });
    const traced = traceFrame(FRAME);
    assert.equal(traced.traceparent, `00-${ids.traceId}-${ids.spanId}-00`);
    assert.ok(spans[0]?.ended === undefined && spans[0]?.options.startTime === FRAME.capturedAt);
    traced.end(undefined);
    traceFrame(FRAME).end({ code: 'blocked', message: 'it is blocked' });
    assert.deepEqual(
      spans.map(({ name, ended, status }) => [name, ended, status]),
      [
        ['vigil.frame', true, undefined],
        ['vigil.frame', true, { code: 2, message: 'blocked' }],
      ],
    );
  });
});
