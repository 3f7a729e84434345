/** What Redis reports about its data: which server run holds them, and up to when they are on disk. Pure. */

/**
 * With `appendfsync everysec` a write is on disk a second later, and two when the disk is busy
 * (redis.io/docs/latest/operate/oss_and_stack/management/persistence).
 */
const FSYNC_MS = 2000;

export interface Persistence {
  /** Changes when a server restarts or another one takes its place; what was not on disk may then be gone. */
  readonly runId: string;
  /** Everything written before this time, milliseconds since the epoch on our clock, is on disk. */
  readonly durableBeforeMs: number;
}

/** @param info the reply to `INFO everything`, or to its sections `server` and `persistence` */
export function readPersistence(info: string, nowMs: number): Persistence {
  const text = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  const number = (name: string) => (text(name) === '' ? Number.NaN : Number(text(name)));
  return {
    runId: text('run_id'),
    durableBeforeMs: text('aof_enabled') === '1' ? appendOnly(text, number, nowMs) : snapshot(number, nowMs),
  };
}

/** With nothing left to write or to sync, everything older than the last seconds is on disk. */
function appendOnly(text: (name: string) => string, number: (name: string) => number, nowMs: number): number {
  const busy = number('aof_pending_bio_fsync') > 0 || number('aof_buffer_length') > 0;
  const loading = number('loading') > 0;
  return busy || loading || text('aof_last_write_status') !== 'ok' ? 0 : nowMs - FSYNC_MS;
}

/** A snapshot holds what was there when it began; Redis reports when it ended and how long it took, in whole seconds. */
function snapshot(number: (name: string) => number, nowMs: number): number {
  const serverNowMs = number('server_time_usec') / 1000;
  const beganS = number('rdb_last_save_time') - Math.max(0, number('rdb_last_bgsave_time_sec')) - 1;
  const sinceMs = serverNowMs - beganS * 1000;
  // Before its first snapshot a server reports its start instead, when all it had was on disk.
  return Number.isFinite(sinceMs) ? nowMs - sinceMs : 0;
}
