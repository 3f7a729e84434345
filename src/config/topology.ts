/** The complete, readonly form of actors.json that the rest of the program works from. */
import type { BackOff } from '../clock/back-off';
import type { CameraTags } from '../contract/tags';
import type { CAMERA_SETTINGS, CameraSettingName, SameName } from './camera-settings';
import type { NoticeCondition } from './notice-conditions';
import type { ActorsFile } from './schema';
import type { ConsumerEntry } from './schema-consumers';
import type { ValueOf } from './setting-schema';

/** How a camera's certificate is verified. */
export interface CameraTls {
  /** File of certificates that are trusted instead of the system's. */
  readonly ca?: string;
}

/** Where pictures come from. A stream's URL may contain credentials: it never appears in text unredacted. */
export type CameraSource =
  | {
      readonly kind: 'stream';
      readonly url: string;
      readonly transport: 'tcp' | 'udp';
      /** Use TCP if UDP delivers nothing. */
      readonly orTcp?: true;
      /** Over HTTP: redirects may lead to other hosts. */
      readonly anyHost?: true;
      /** Absent: any certificate is accepted. */
      readonly tls?: CameraTls;
    }
  /** Still pictures over HTTP, each requested. */
  | { readonly kind: 'still'; readonly url: string; readonly anyHost?: true; readonly tls?: CameraTls }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'test'; readonly pattern: string };

/** How a child is kept; the terms and their meaning are those of OTP's supervisor. */
export interface ChildSpec {
  readonly restart: 'permanent' | 'transient' | 'temporary';
  /** More restarts than these within `periodMs` exceed the child's intensity. */
  readonly maxRestarts: number;
  readonly periodMs: number;
  readonly backOff: BackOff;
  /** Milliseconds to be ready after a start. */
  readonly startMs: number;
  /** Milliseconds to stop. */
  readonly shutdownMs: number;
  /** Milliseconds between two tries in quarantine; absent if a child beyond its intensity ends the daemon. */
  readonly probeMs?: number;
}

type Settings = typeof CAMERA_SETTINGS;
type Setting<K extends CameraSettingName> = ValueOf<Settings[K]['schema']>;
/** The values of a setting, except the one that means absent. */
type Given<K extends CameraSettingName> = Settings[K] extends { readonly absent: infer None }
  ? Exclude<Setting<K>, None>
  : Setting<K>;
/** Settings that are always there: they have a default, and no value that means absent. */
type Always<K extends SameName> = Settings[K] extends { readonly absent: unknown }
  ? never
  : Settings[K] extends { readonly default: unknown }
    ? K
    : never;

/** The settings of the table that are resolved under their own name, without `undefined`. */
type SameSettings = { readonly [K in SameName as Always<K>]: Given<K> } & {
  readonly [K in SameName as Exclude<K, Always<K>>]?: Given<K>;
};

/** What a camera stores: a picture in this format, or its keyframe unchanged. */
export type CaptureFormat = Setting<'format'>;

/** Which pictures of a feed are decoded. */
export type Sampling = Setting<'sampling'>;

/** Hardware that decodes, by ffmpeg's name; `auto` is the first that starts. */
export type Hwaccel = Given<'hwaccel'>;

/** A YUV-to-RGB matrix. */
export type Matrix = Given<'matrix'>;

/** A camera as its actor knows it: what each setting means is written in camera-settings.ts. */
export interface CameraSpec extends SameSettings {
  readonly id: string;
  readonly source: CameraSource;
  /** Length of a sampling period, milliseconds. */
  readonly periodMs: number;
  /** Whether interlaced pictures are deinterlaced. */
  readonly deinterlace: boolean;
}

/** A camera and how its actor is kept. */
export interface SupervisedCamera extends CameraSpec {
  readonly child: ChildSpec;
}

/** A Redis or RabbitMQ server: run by the daemon, or reached by a URL that may contain credentials. */
export type ServerSpec =
  | { readonly kind: 'embedded'; readonly port?: number; readonly maxMemoryBytes?: number }
  | {
      readonly kind: 'remote';
      readonly url: string;
      /** For RabbitMQ: its management HTTP API. */
      readonly managementUrl?: string;
    };

/** The HTTP server; `cert` and `key` are absolute paths. */
export interface HttpSpec {
  readonly port: number;
  readonly host: string;
  /** Further names that clients may know it by. */
  readonly names: readonly string[];
  readonly token?: string;
  /** Whether metrics name the tags of cameras. */
  readonly metricsTags: boolean;
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** A node among several daemons that share their cameras. */
export interface FleetSpec {
  /** Endpoints of etcd, or a private one that this daemon runs. */
  readonly etcd: readonly string[] | 'embedded';
  /** The endpoints.json of the daemon whose servers this node uses: an absolute path. Absent: they are named one by one. */
  readonly endpointsFile?: string;
  readonly name: string;
  /** Absent: the host's name. */
  readonly node?: string;
  readonly capacity: number;
  readonly username?: string;
  readonly password?: string;
  /** Absolute paths of PEM files. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** A receiver of notices. Its URL may contain credentials, and its path often is one. */
export interface WebhookSpec {
  readonly url: string;
  /** `whsec_` and its bytes in base64. */
  readonly secret: string;
  readonly when: readonly NoticeCondition[];
  /** Only these cameras, and those with one of the tags; all notices if both are absent. */
  readonly cameras?: readonly string[];
  readonly tags?: readonly string[];
}

export type ActorMode = 'forked' | 'in-memory';

export interface QueueSpec {
  readonly name: string;
  readonly maxLength: number;
  readonly overflow: 'reject-publish' | 'drop-head';
  readonly deliveryLimit: number;
  /** Whether pictures wait in Redis for its consumers. */
  readonly required: boolean;
}

/** A detection service with a queue of its own. */
export interface ServiceSpec extends Omit<ConsumerEntry, 'remove'> {
  readonly name: string;
  readonly queue: string;
}

export interface SpoolSpec {
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly maxFrames: number;
  /** Bytes the disk keeps free of the spool. */
  readonly minFreeBytes: number;
  /** What happens to frames that could not be delivered while they were live. */
  readonly replay: 'oldest-first' | 'newest-first' | 'none';
  /** Frames of the backlog a second, at most. */
  readonly replayRate: number;
}

export interface Topology {
  readonly namespace: string;
  readonly logLevel: ActorsFile['log']['level'];
  readonly redis: ServerSpec;
  readonly rabbitmq: ServerSpec;
  /** Absent: this daemon is alone. */
  readonly fleet?: FleetSpec;
  /** Absent: there is none. */
  readonly http?: HttpSpec;
  readonly notify: readonly WebhookSpec[];
  /** The user that a daemon started by root switches to. */
  readonly user?: string;
  /** ffmpeg program named by the operator: an absolute path, or a name to look for on PATH. */
  readonly ffmpeg?: string;
  /** Whether messages of frames carry the context of a trace. */
  readonly tracing: boolean;
  readonly expireMs: number;
  readonly queue: QueueSpec;
  readonly services: readonly ServiceSpec[];
  /** Names of services whose queues are to be deleted. */
  readonly removedServices: readonly string[];
  /** When a confirmed frame leaves the spool: at once, or when Redis has it on disk. */
  readonly durability: 'memory' | 'durable';
  readonly spool: SpoolSpec;
  readonly ledger: { readonly keepHours: number; readonly maxBytes: number };
  readonly modes: { readonly store: ActorMode; readonly notifier: ActorMode };
  readonly children: {
    readonly store: ChildSpec;
    readonly notifier: ChildSpec;
    readonly web: ChildSpec;
    readonly notices: ChildSpec;
    readonly service: ChildSpec;
  };
  /** Milliseconds the store gets to deliver what waits when it is stopped. */
  readonly drainMs: number;
  readonly supervision: { readonly restartsPerMinute: number; readonly parallelStarts: number };
  /** Enabled cameras, in the order of the file. */
  readonly cameras: readonly SupervisedCamera[];
  /** Ids of all, disabled ones too, in that order. */
  readonly cameraIds: readonly string[];
  /** Tags of all cameras that have any, by id. */
  readonly tags: CameraTags;
}
