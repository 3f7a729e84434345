/** Changes of the simulated cameras, by the rules of the real API in short: file versions, plans, a password that is not shown. */
import type { IncomingMessage } from 'node:http';
import type { ApiCamera, ApiCameraDetail, ApiEdit, ApiPlan, ApiProbe } from '../../src/actors/web/view/api';
import type { World } from './world';

export interface Edited {
  readonly status: number;
  readonly body: object;
  readonly etag?: string;
}

export class Edits {
  /** Raised by whoever else edits the file. */
  version = 1;
  readonly #settings = new Map<string, Readonly<Record<string, unknown>>>();

  constructor(private readonly world: World) {}

  get etag(): string {
    return `"${this.version}"`;
  }

  detail(camera: ApiCamera): ApiCameraDetail {
    const settings = this.#settings.get(camera.id) ?? {
      url: `rtsp://192.168.7.31:554/${camera.id}?…`,
      rate: 1,
    };
    return { ...camera, settings: { id: camera.id, ...settings }, hidden: ['url', 'username', 'password'] };
  }

  /** @param verb `restart`, `enable` or `disable` */
  post(id: string, verb: string): Edited {
    if (verb !== 'restart') this.world.setCondition(id, verb === 'enable' ? 'delivering' : 'disabled');
    return { status: 200, body: { id } };
  }

  async probe(): Promise<Edited> {
    const fault = { code: 'refused', message: '192.168.7.31:554 refuses connections; check the port' };
    const nothing = { codec: null, width: null, height: null, picturesPerSecond: null, firstPictureMs: null };
    const body: ApiProbe = {
      ...{ feed: 'rtsp://192.168.7.31:554/', ...nothing, keyframeIntervalMs: null, clockOffsetMs: null },
      ...{ sampling: 'unknown', samplingReason: '', processorSecondsPerMinute: null, measuredForMs: null },
      ...{ transport: null, decoding: null, fault },
    };
    return { status: 200, body };
  }

  async edit(method: string, id: string, query: URLSearchParams, request: IncomingMessage): Promise<Edited> {
    const isThere = this.world.cameras.has(id);
    const isPlan = query.get('plan') === 'true';
    const { 'if-match': match, 'if-none-match': none } = request.headers;
    if (none === '*' && isThere) return refusal(412, 'camera-exists', `there is a camera "${id}" already`);
    if (match !== undefined && match !== '*' && match !== this.etag)
      return refusal(412, 'changed-meanwhile', 'the file was changed meanwhile');
    const settings = method === 'DELETE' ? {} : await bodyOf(request);
    if ('rtae' in settings)
      return refusal(422, 'invalid-settings', 'unknown key', [
        { path: '$.cameras[3].rtae', problem: 'unknown key; did you mean "rate"?' },
      ]);
    if (!isPlan) this.#make(method, id, settings);
    const body: ApiEdit = { applied: !isPlan, created: !isThere, plan: this.#plan(method, id, isThere) };
    return { status: 200, body, etag: this.etag };
  }

  #make(method: string, id: string, settings: Readonly<Record<string, unknown>>): void {
    this.version++;
    if (method === 'DELETE') this.world.cameras.delete(id);
    else {
      this.#settings.set(id, settings);
      this.world.add(id);
    }
  }

  #plan(method: string, id: string, isThere: boolean): ApiPlan {
    const name = `camera:${id}`;
    return {
      start: isThere ? [] : [name],
      stop: method === 'DELETE' ? [name] : [],
      restart: [],
      adjust: isThere && method !== 'DELETE' ? [{ name, because: ['periodMs'] }] : [],
      leave: [...this.world.cameras.keys()].filter((each) => each !== id).map((each) => `camera:${each}`),
    };
  }
}

async function bodyOf(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
}

function refusal(status: number, code: string, detail: string, faults?: object): Edited {
  return { status, body: { status, code, detail, ...(faults === undefined ? {} : { faults }) } };
}
