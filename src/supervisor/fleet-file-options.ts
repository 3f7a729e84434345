/** What a node of a fleet is given to share its cameras, and what it says of them. */
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
  /** That published it, and when by its clock, milliseconds since the epoch. */
  readonly node: string;
  readonly atMs: number;
  /** Why the file has other cameras. */
  readonly differs?: string;
}

/** Throws ConfigurationError where this daemon cannot run by `text`. */
export type Check = (text: string, subject: string) => void;
