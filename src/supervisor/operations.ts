/** Changes of cameras that operators request of the running daemon; the log names each with its requester. */
import { EditFault } from '../config/edit/fault';
import { readCamera, type EditRequest } from '../config/edit/file';
import { noCamera } from '../config/edit/cameras';
import type { Settings, ShownSettings } from '../config/edit/hidden';
import type { CameraSpec, Topology } from '../config/topology';
import { Fault } from '../fault/fault';
import type { Log } from '../log/log';
import type { ProbeOutcome } from '../protocol/probe';
import { findFfmpeg, needsNoFfmpeg, whyNoFfmpeg } from './ffmpeg-program';
import type { LiveConfiguration } from './live-configuration';
import { isEmpty, sentenceOf, type Plan } from './plan';
import { Prober } from './prober';
import type { Supervisor } from './supervisor';

/** An address, or the user who ran a command. */
interface Asked {
  readonly by: string;
}

export type OperatorEdit = EditRequest & Asked;

export interface EditOutcome {
  readonly etag: string;
  readonly created: boolean;
  readonly plan: Plan;
}

export type RestartRequest = Asked & { readonly camera: string };

export interface ProbeRequest extends Asked {
  /** A camera of the configuration; absent: the settings are complete. */
  readonly camera?: string | undefined;
  /** Settings that differ from the configuration. */
  readonly settings: Settings;
  readonly seconds: number;
}

export class Operations {
  readonly #prober: Prober;

  constructor(
    private readonly configuration: Pick<LiveConfiguration, 'edit' | 'resolve' | 'state' | 'store'>,
    private readonly supervisor: Pick<Supervisor, 'cameras' | 'restart'>,
    private readonly log: Pick<Log, 'info'>,
    prober = new Prober(),
  ) {
    this.#prober = prober;
  }

  /** @throws EditFault */
  async edit(request: OperatorEdit): Promise<EditOutcome> {
    const { etag, created, plan } = await this.configuration.edit(request);
    if (request.planOnly !== true)
      this.log.info(
        `${editSentence(request, created)} by ${request.by}: ${isEmpty(plan) ? 'no change' : sentenceOf(plan)}`,
        {
          code: 'edit',
        },
      );
    return { etag, created, plan };
  }

  /** @throws EditFault */
  async camera(id: string): Promise<ShownSettings & { readonly etag: string }> {
    return readCamera(this.configuration.state.file, id, this.configuration.store);
  }

  /**
   * Only begins the restart: a process may take seconds to stop.
   * @throws EditFault `no-camera`; Fault `camera-disabled`
   */
  restart({ camera, by }: RestartRequest): void {
    const known = this.supervisor.cameras.find(({ id }) => id === camera);
    if (known === undefined) throw noCamera(camera);
    if (!known.enabled)
      throw new Fault(
        'camera-disabled',
        `camera ${camera} is disabled and has no process; enable it instead`,
      );
    this.log.info(`camera:${camera} is restarted, as ${by} asked`, { code: 'restart' });
    void this.supervisor.restart(camera);
  }

  /**
   * Opens a feed in addition to what runs.
   * @throws EditFault; Fault `missing-program`, `too-many-probes`, `probe-failed`
   */
  async probe({ camera, settings, seconds, by }: ProbeRequest): Promise<ProbeOutcome> {
    const id = camera ?? this.#freeId();
    const edit = {
      kind: camera === undefined ? 'put' : 'patch',
      camera: id,
      settings: { ...settings, enabled: true },
    } as const;
    const { plan: feed } = await this.configuration.resolve(
      { edit, planOnly: true, isRemote: true },
      (wanted) => feedOf(wanted, id),
    );
    this.log.info(`a feed is probed, as ${by} asked`, { code: 'probe' });
    return this.#prober.probe({ ...feed, limitMs: seconds * 1000 });
  }

  /** An id under which no data of another feed is stored. */
  #freeId(): string {
    const taken = new Set(this.supervisor.cameras.map(({ id }) => id));
    return (
      Array.from({ length: taken.size + 1 }, (_, i) => `new-${i + 1}`).find((id) => !taken.has(id)) ?? 'new'
    );
  }
}

function feedOf({ cameras, ffmpeg: named }: Topology, id: string): { camera: CameraSpec; ffmpeg: string } {
  const camera = cameras.find((each) => each.id === id);
  if (camera === undefined) throw new EditFault('no-camera', `there is no camera "${id}" to probe`);
  const ffmpeg = findFfmpeg(named, camera.source);
  if (ffmpeg === undefined && !needsNoFfmpeg(camera.source))
    throw new Fault('missing-program', `missing on this machine: ffmpeg (${whyNoFfmpeg(named)})`);
  return { camera, ffmpeg: ffmpeg ?? 'ffmpeg' };
}

function editSentence({ edit }: EditRequest, created: boolean): string {
  switch (edit.kind) {
    case 'apply':
      return 'the cameras of another file were applied';
    case 'remove':
      return `camera ${edit.camera} was removed`;
    case 'put':
      return `camera ${edit.camera} was ${created ? 'added' : 'replaced'}`;
    case 'patch':
      return `camera ${edit.camera} was changed (${Object.keys(edit.settings).join(', ')})`;
  }
}
