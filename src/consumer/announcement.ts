/** Reads a frame's announcement. Messages come from outside: everything in them is checked here before use. */
import Ajv from 'ajv';
import { CameraStateChanged, FrameSampled, FramesMissed, type VigilEvent } from '../contract/message';
import { parseFrameKey, type FrameKey } from '../contract/key';
import { ConsumerError, textOf } from './fault';

/** An announcement is about 500 bytes long. */
const MAX_BODY_BYTES = 65_536;

const ajv = new Ajv({ allErrors: false });
const validate = ajv.compile<FrameSampled>(FrameSampled);
const others = [ajv.compile<CameraStateChanged>(CameraStateChanged), ajv.compile<FramesMissed>(FramesMissed)];

/** Events that a queue may contain besides announcements of frames. */
export type OtherEvent = Exclude<VigilEvent, FrameSampled>;

/** The announcement in a message body, or a {@link ConsumerError} `invalid-message` that says what is wrong. */
export function readAnnouncement(body: Buffer): FrameSampled {
  if (body.length > MAX_BODY_BYTES)
    throw invalid(`expected at most ${MAX_BODY_BYTES} bytes, found ${body.length}`);
  const event = parseJson(body);
  if (!validate(event)) throw invalid(ajv.errorsText(validate.errors, { dataVar: 'event' }));
  const key = parseFrameKey(event.data.key);
  if (key === undefined) throw invalid('event/data/key is not a frame key');
  const contradiction = contradictionOf(key, event.data);
  if (contradiction !== undefined) throw invalid(`event/data/${contradiction} contradicts the key`);
  return event;
}

/** The event in a message body that is not an announcement; undefined if its kind is unknown. */
export function readOtherEvent(body: Buffer): OtherEvent | undefined {
  if (body.length > MAX_BODY_BYTES) return undefined;
  try {
    const event: unknown = JSON.parse(body.toString('utf8'));
    return others.some((isOne) => isOne(event)) ? (event as OtherEvent) : undefined;
  } catch {
    return undefined;
  }
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    // The parser quotes the text it could not read: only the kind of fault is kept.
    throw invalid(`the body is not JSON (${error instanceof SyntaxError ? 'syntax' : textOf(error)})`);
  }
}

function contradictionOf(key: FrameKey, data: FrameSampled['data']): string | undefined {
  const fields = ['camera', 'capturedAt', 'width', 'height', 'format'] as const;
  return fields.find((field) => key[field] !== data[field]);
}

function invalid(problem: string): ConsumerError {
  return new ConsumerError('invalid-message', `a message is not a frame announcement: ${problem}`);
}
