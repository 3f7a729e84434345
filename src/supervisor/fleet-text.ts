/** The shared cameras within the text of actors.json, and the messages if they cannot be applied. Pure. */
import { editedText } from '../config/edit/cameras';
import { EditFault } from '../config/edit/fault';
import { ConfigurationError } from '../config/faults';
import { readJson } from '../config/json-text';
import { faultRecord } from '../fault/fault';
import { sharedOf, type Publication, type Shared } from '../fleet/publication';

export function isJson(text: string): boolean {
  return 'value' in readJson(text);
}

/** @throws ConfigurationError if it is not JSON */
export function ownOf(text: string): Shared {
  const json = readJson(text);
  if (!('value' in json)) throw new ConfigurationError('actors.json', json.faults);
  return sharedOf(json.value);
}

/** The text with these cameras; its comments and its other keys are kept. */
export function withShared(text: string, shared: Shared): string {
  const json = readJson(text);
  return editedText(text, 'value' in json ? json.value : undefined, { kind: 'apply', ...shared });
}

/** The publication as the beginning of a sentence. */
export function subjectOf({ revision, node }: Publication): string {
  return `revision ${revision} of the fleet's cameras, published by node "${node}",`;
}

export function cameFirst(file: string, newest: Publication | undefined): EditFault {
  const { revision = 0, node = '' } = newest ?? {};
  return new EditFault(
    'changed-meanwhile',
    `another edit of the fleet came first: revision ${revision}, published by node "${node}"; nothing was changed: look at ${file} as it is now, then repeat the edit`,
  );
}

export function unknownYet(): EditFault {
  return new EditFault(
    'fleet-away',
    'this node does not know the cameras of its fleet yet; nothing was changed: `status` says what it waits for',
  );
}

/** Why an edit was not published to the fleet. */
export function notPublished(cause: unknown): EditFault {
  if (cause instanceof EditFault) return cause;
  const { code, message } = faultRecord(cause, 'fleet');
  const isAway = code === 'etcd-away';
  const sentence = isAway
    ? `the edit could not be published to the fleet (${message}); nothing was changed here, and should etcd have taken it all the same, every node will follow`
    : `the edit could not be published to the fleet (${message}); nothing was changed`;
  return new EditFault(isAway ? 'fleet-away' : 'not-applied', sentence, [], { cause });
}

/** Why the cameras of a file are not, or not yet, those of the fleet. */
export function refusal(file: string, error: unknown): ConfigurationError {
  const { code, message } = error instanceof EditFault ? error : faultRecord(error, 'fleet');
  const isWaiting = code === 'etcd-away' || code === 'fleet-away';
  const problem = isWaiting
    ? `are not shared with the fleet yet: ${message}; they will be when etcd answers, unless another edit of the fleet comes first`
    : `are not shared with the fleet: ${message}`;
  return new ConfigurationError(file, [{ path: '$.cameras', problem }], 'not-applied', { cause: error });
}
