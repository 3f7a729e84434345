/** Has the daemon change cameras, over its socket. */
import { askDaemon } from '../../control/client';
import type {
  Answered,
  CameraAnswer,
  EditAnswer,
  ProbeAnswer,
  RefusedAnswer,
  RestartAnswer,
} from '../../control/protocol';
import type { OperatorEdit, ProbeRequest, RestartRequest } from '../../supervisor/operations';
import type { ApiCameraSettings, ApiEdit, ApiProbe } from './view/api';
import { silent } from './daemon-source';
import type { CameraEdit, WebOperations } from './http/operations';
import { Problem } from './http/problem';

/** A probe waits for others, and each may take half a minute. */
const PROBE_MS = 240_000;

export class DaemonOperations implements WebOperations {
  constructor(private readonly dataDir: string) {}

  async settings(camera: string): Promise<(ApiCameraSettings & { readonly etag: string }) | undefined> {
    const answer = await this.#answer<CameraAnswer>('/camera', { camera });
    return answer.kind === 'done' ? answer.outcome : undefined;
  }

  async edit(asked: CameraEdit): Promise<{ readonly done: ApiEdit; readonly etag: string }> {
    const { kind, camera, settings, ifMatch, ifAbsent, planOnly, by } = asked;
    const edit = kind === 'remove' ? { kind, camera } : { kind, camera, settings };
    const request: OperatorEdit = { edit, ifMatch, ifAbsent, planOnly, isRemote: true, by };
    const { etag, created, plan } = await this.#ask<EditAnswer>('/edit', request);
    return { done: { applied: !planOnly, created, plan }, etag };
  }

  async restart(camera: string, by: string): Promise<void> {
    const request: RestartRequest = { camera, by };
    await this.#ask<RestartAnswer>('/restart', request);
  }

  async probe(
    camera: string | undefined,
    settings: ProbeRequest['settings'],
    seconds: number,
    by: string,
  ): Promise<ApiProbe> {
    const request: ProbeRequest = { camera, settings, seconds, by };
    const { report, jpeg } = await this.#ask<ProbeAnswer>('/probe', request, PROBE_MS);
    const { saved: _, ...found } = report;
    return jpeg === undefined ? found : { ...found, jpeg };
  }

  async #ask<A extends Answered<unknown>>(
    url: string,
    request: unknown,
    answerMs?: number,
  ): Promise<Extract<A, { readonly kind: 'done' }>['outcome']> {
    const answer = await this.#answer<A>(url, request, answerMs);
    if (answer.kind === 'refused') throw problemOf(answer);
    return (answer as Extract<A, { readonly kind: 'done' }>).outcome;
  }

  async #answer<A>(url: string, request: unknown, answerMs?: number): Promise<A> {
    try {
      return (await askDaemon(this.dataDir, url, request, answerMs)) as A;
    } catch (error) {
      throw silent(error);
    }
  }
}

/** Codes not listed here are answered with 422: the request is well-formed, but its settings are not valid. */
const STATUS: Readonly<Record<string, number>> = {
  'no-camera': 404,
  'camera-disabled': 409,
  'invalid-configuration': 409,
  'not-applied': 409,
  'read-only': 409,
  'camera-exists': 412,
  'changed-meanwhile': 412,
  'too-many-probes': 429,
  'cannot-read': 503,
  'cannot-write': 503,
  'missing-program': 503,
  'probe-failed': 503,
  busy: 503,
  'fleet-away': 503,
  'disk-full': 507,
};
/** Seconds after which a client may retry, by code. */
const RETRY: Readonly<Record<string, string>> = { busy: '2', 'fleet-away': '5', 'too-many-probes': '60' };

function problemOf({ code, message, faults }: RefusedAnswer): Problem {
  const retry = RETRY[code];
  return new Problem(
    STATUS[code] ?? 422,
    code,
    message,
    faults.length === 0 ? {} : { faults },
    retry === undefined ? {} : { 'retry-after': retry },
  );
}
