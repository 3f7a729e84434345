/** The findings of a probe of a feed, and the daemon's request to the process that probes. */
import type { CameraSpec } from '../config/topology';
import type { FaultRecord } from '../fault/fault';

/** The JSON of `probe --json` and of the API; null: could not be measured. */
export interface ProbeReport {
  /** Without credentials. */
  readonly feed: string;
  readonly codec: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly picturesPerSecond: number | null;
  readonly keyframeIntervalMs: {
    readonly mean: number;
    readonly least: number;
    readonly most: number;
  } | null;
  readonly firstPictureMs: number | null;
  /** The camera's clock minus the arrival of its pictures. */
  readonly clockOffsetMs: number | null;
  readonly sampling: string;
  readonly samplingReason: string;
  /** Processor time of the ffmpeg processes, measured on this machine while the feed was sampled. */
  readonly processorSecondsPerMinute: number | null;
  readonly measuredForMs: number | null;
  readonly transport: string | null;
  /** If hardware was requested: the decoder used, and why it is not the requested one. */
  readonly decoding: string | null;
  readonly saved: string | null;
  readonly fault: FaultRecord | null;
}

/** Message to the process. */
export interface ProbeQuestion {
  readonly camera: CameraSpec;
  /** Program, or its name on PATH. */
  readonly ffmpeg: string;
  /** How long at most, milliseconds. */
  readonly limitMs: number;
}

/** Message from the process. */
export interface ProbeOutcome {
  readonly report: ProbeReport;
  /** The first picture as a JPEG of at most 640 pixels in width, base64; undefined if there is none, or a keyframe is stored. */
  readonly jpeg?: string;
}
