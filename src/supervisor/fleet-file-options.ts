/** What a node of a fleet needs to share its cameras, and what it reports about them. */
import type { SharedConfiguration } from '../fleet/shared-configuration';
import type { Log } from '../log/log';
import type { DataFiles } from './data-files';

export interface FleetFileOptions {
  readonly file: string;
  readonly data: DataFiles;
  readonly shared: SharedConfiguration;
  readonly log: Log;
}

export interface FleetConfigurationState {
  readonly revision: number;
  /** The node that published the revision, and when by its clock, milliseconds since the epoch. */
  readonly node: string;
  readonly atMs: number;
  /** Why the cameras of the file differ from it. */
  readonly differs?: string;
}

/** Throws ConfigurationError if this daemon cannot run with `text`. */
export type Check = (text: string, subject: string) => void;
