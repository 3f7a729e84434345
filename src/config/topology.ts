/** The complete, readonly form of actors.json that the rest of the program works from. */
import type { BackOff } from '../clock/back-off';
import type { ActorsFile, CAPTURE_FORMATS, HWACCELS, MATRICES, SAMPLINGS } from './schema';

/** That a camera's certificate is verified, and by what. */
export interface CameraTls {
  /** File of certificates that are trusted in the place of the system's. */
  readonly ca?: string;
}

/** Where pictures come from. A stream's URL may contain credentials: it never goes into text unredacted. */
export type CameraSource =
  | {
      readonly kind: 'stream';
      readonly url: string;
      readonly transport: 'tcp' | 'udp';
      /** Over TCP where UDP gives nothing. */
      readonly orTcp?: true;
      /** Over HTTP: answers may lead to other hosts. */
      readonly anyHost?: true;
      /** Absent: any certificate is taken. */
      readonly tls?: CameraTls;
    }
  /** Still pictures over HTTP, each asked for. */
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
  /** Milliseconds between two tries while quarantined; absent where a child beyond its intensity ends the daemon. */
  readonly probeMs?: number;
}

/** What a camera stores: a picture in this format, or its keyframe as it came. */
export type CaptureFormat = (typeof CAPTURE_FORMATS)[number];

/** What of a feed is decoded. */
export type Sampling = (typeof SAMPLINGS)[number];

/** Hardware that decodes, by ffmpeg's name; `auto` is the first that starts. */
export type Hwaccel = Exclude<(typeof HWACCELS)[number], 'none'>;

/** A YUV-to-RGB matrix. */
export type Matrix = Exclude<(typeof MATRICES)[number], 'auto'>;

export interface CameraSpec {
  readonly id: string;
  readonly source: CameraSource;
  /** Length of a sampling period, milliseconds. */
  readonly periodMs: number;
  readonly format: CaptureFormat;
  /** 1 to 100. */
  readonly quality: number;
  /** Pixels; undefined keeps the feed's own width. */
  readonly width?: number;
  readonly sampling: Sampling;
  /** Undefined for software. */
  readonly hwaccel?: Hwaccel;
  /** Whatever the stream says; undefined for what it says. */
  readonly matrix?: Matrix;
  /** Whether interlaced pictures are deinterlaced. */
  readonly deinterlace: boolean;
  readonly stallMs: number;
  /** By how much pictures may come late over a slow link before the feed is opened anew. */
  readonly maxDelayMs: number;
  readonly frozenMs: number;
  readonly connectMs: number;
  /** Longest pause before a feed that failed is opened again. */
  readonly retryMs: number;
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
      /** Of RabbitMQ: its management HTTP API. */
      readonly managementUrl?: string;
    };

export type ActorMode = 'forked' | 'in-memory';

export interface QueueSpec {
  readonly name: string;
  readonly maxLength: number;
  readonly overflow: 'reject-publish' | 'drop-head';
  readonly deliveryLimit: number;
}

export interface SpoolSpec {
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly maxFrames: number;
  /** Bytes the disk keeps free of the spool. */
  readonly minFreeBytes: number;
  /** What becomes of frames that could not be delivered while they were live. */
  readonly replay: 'oldest-first' | 'newest-first' | 'none';
  /** Frames of the backlog a second, at most. */
  readonly replayRate: number;
}

export interface Topology {
  readonly namespace: string;
  readonly logLevel: ActorsFile['log']['level'];
  readonly redis: ServerSpec;
  readonly rabbitmq: ServerSpec;
  /** Whom a daemon of root becomes. */
  readonly user?: string;
  /** ffmpeg program named by the operator: an absolute path, or a name to look for on PATH. */
  readonly ffmpeg?: string;
  readonly expireMs: number;
  readonly queue: QueueSpec;
  /** When a confirmed frame leaves the spool: at once, or when Redis has it on disk. */
  readonly durability: 'memory' | 'durable';
  readonly spool: SpoolSpec;
  readonly ledger: { readonly keepHours: number; readonly maxBytes: number };
  readonly modes: { readonly store: ActorMode; readonly notifier: ActorMode };
  readonly children: { readonly store: ChildSpec; readonly notifier: ChildSpec; readonly service: ChildSpec };
  /** Milliseconds the store gets to deliver what waits when it is stopped. */
  readonly drainMs: number;
  readonly supervision: { readonly restartsPerMinute: number; readonly parallelStarts: number };
  /** Enabled cameras, in the order of the file. */
  readonly cameras: readonly SupervisedCamera[];
}
