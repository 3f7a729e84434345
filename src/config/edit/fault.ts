/** Why an edit of the configuration is not made. */
import type { ConfigFault } from '../faults';

export type EditFaultCode =
  /** There is no such camera. */
  | 'no-camera'
  /** The camera to be added exists already. */
  | 'camera-exists'
  /** The settings name another camera. */
  | 'wrong-id'
  /** A setting has a placeholder for what is hidden. */
  | 'hidden-value'
  /** The stored password would be sent to another server. */
  | 'password-needed'
  /** A reference to a variable that the cameras do not use yet. */
  | 'new-variable'
  /** A file of this machine that the cameras do not use yet. */
  | 'local-file'
  /** The file is no longer the version the writer read. */
  | 'changed-meanwhile'
  /** The edited file would not be valid, or could not be applied. */
  | 'invalid-settings'
  /** The edit did not reach the fleet: etcd does not answer. */
  | 'fleet-away'
  | 'not-applied'
  /** The current file is not valid. */
  | 'invalid-configuration'
  /** The file cannot be read, or cannot be written. */
  | 'cannot-read'
  | 'read-only'
  | 'disk-full'
  | 'busy'
  | 'cannot-write';

export class EditFault extends Error {
  constructor(
    readonly code: EditFaultCode,
    message: string,
    /** Faults of the configuration, if they are the reason. */
    readonly faults: readonly ConfigFault[] = [],
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'EditFault';
  }
}
