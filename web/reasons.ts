/** The ledger's reasons for missed periods (docs/ledger.md) as text that fits after a time. */

const REASONS: Readonly<Record<string, string>> = {
  starting: 'Vigil was starting the camera',
  connecting: 'connecting to the camera',
  'no-picture': 'the feed was open but sent no picture',
  restarting: "the camera's process was restarting",
  quarantined: 'the camera was quarantined',
  stopped: 'the camera was being stopped',
  disabled: 'the camera was disabled',
  'daemon-stopped': 'Vigil was stopped',
  'daemon-down': 'Vigil was killed, or its machine went down',
  'spool-write': 'the picture could not be written to the spool',
  'spool-slow': 'the disk of the spool was too slow',
  refused: 'the camera refused the connection',
  unreachable: 'the camera could not be reached',
  'unknown-host': "the camera's host name was not found",
  timeout: 'the camera did not answer in time',
  unauthorized: 'the camera refused the user name or password',
  stalled: 'the feed stopped sending',
  silent: 'the camera sent nothing',
  ended: 'the feed ended',
  closed: 'the camera closed the connection',
  'not-found': 'the camera has no stream of that path',
  'no-keyframe': 'the feed sent no keyframe',
  undecodable: 'the pictures could not be decoded',
  'server-error': 'the camera answered with an error',
  'too-many-sessions': 'the camera had no room for another viewer',
  'slow-camera': 'the camera was too slow for the rate',
  'udp-loss': 'packets were lost on the network',
};
/** Reasons for which no frame was wanted, so that its absence is not a fault. */
const UNWANTED: readonly string[] = ['disabled', 'daemon-stopped', 'stopped'];

/** What happened, without a full stop. An unknown reason is shown as the ledger writes it. */
export function reasonText(reason: string): string {
  return REASONS[reason] ?? reason.replaceAll('-', ' ');
}

export function isFault(reason: string): boolean {
  return !UNWANTED.includes(reason);
}
