/** The parts of a camera's settings that are never shown, and how they are kept when settings are written back. Pure. */
import { redactUrl } from '../../url/url';
import { URL_PARTS } from '../../url/url-parts';
import { SECRET_SETTINGS } from '../literal-secrets';
import { EditFault } from './fault';

/** The settings of a camera in actors.json; their validity is checked with the whole file. */
export type Settings = Readonly<Record<string, unknown>>;

const WRITE_ONLY = SECRET_SETTINGS;
const URLS = ['url', 'still'] as const;
/** Only a reference: it contains no secret. */
const REFERENCE = /^\$\{[A-Za-z_][A-Za-z0-9_]*\}$/;
/** What other programs display in place of a password. */
const MASK = /^[*•●…]+$/;

export interface ShownSettings {
  /** Without {@link WRITE_ONLY}, and with URLs stripped of parts that may be secret. */
  readonly settings: Settings;
  /** Names of settings that are not shown, or only in part. */
  readonly hidden: readonly string[];
}

export function shownSettings(stored: Settings): ShownSettings {
  const entries = Object.entries(stored).filter(([key]) => !isWriteOnly(key));
  const settings = Object.fromEntries(entries.map(([key, value]) => [key, shownValue(key, value)]));
  return { settings, hidden: Object.keys(stored).filter((key) => settings[key] !== stored[key]) };
}

function shownValue(key: string, value: unknown): unknown {
  return isUrl(key) && typeof value === 'string' && !REFERENCE.test(value) ? redactUrl(value) : value;
}

/**
 * Settings as they are to be stored: values hidden from the writer are kept.
 * @param given the whole settings; for {@link WRITE_ONLY}, null means none
 * @param named settings the writer gave a value
 * @throws EditFault `hidden-value`, `password-needed`
 */
export function restored(
  given: Settings,
  stored: Settings = {},
  named = new Set(Object.keys(given)),
): Settings {
  const result = new Map(Object.entries(given));
  for (const key of URLS) if (result.has(key)) result.set(key, restoredUrl(key, given[key], stored[key]));
  const isMasked = (key: string) => typeof given[key] === 'string' && MASK.test(given[key]);
  const kept = WRITE_ONLY.filter((key) => !named.has(key) || isMasked(key));
  for (const key of WRITE_ONLY) {
    if (given[key] === null) result.delete(key);
    if (!kept.includes(key)) continue;
    if (isMasked(key) && stored[key] === undefined)
      throw new EditFault(
        'hidden-value',
        `"${key}" is a mask in the place of a ${key}; give the ${key} itself`,
      );
    if (stored[key] === undefined || !URLS.some((url) => result.has(url))) result.delete(key);
    else result.set(key, stored[key]);
  }
  const settings = Object.fromEntries(result);
  if (isSentElsewhere(settings, stored, kept)) throw new EditFault('password-needed', PASSWORD_NEEDED);
  return settings;
}

const PASSWORD_NEEDED =
  'the URL names another server than before, which must not get the stored user name and password; give "username" and "password" again, or null for none';

/** A URL written back as it was shown means the stored one; another URL of the same server keeps user and password. */
function restoredUrl(key: string, given: unknown, stored: unknown): unknown {
  if (typeof given !== 'string' || given === stored) return given;
  if (typeof stored === 'string' && given === shownValue(key, stored)) return stored;
  if (given.includes('…'))
    throw new EditFault(
      'hidden-value',
      `"${key}" has "…" in the place of a part that is not shown; write that part, or leave the whole URL as it was`,
    );
  const [before, after] = [partsOf(stored), partsOf(given)];
  return before?.user !== undefined && after?.user === undefined && before.server === after?.server
    ? given.replace('://', `://${before.user}@`)
    : given;
}

/** A user who may write settings but not read passwords must not have them sent to a server of their own. */
function isSentElsewhere(settings: Settings, stored: Settings, kept: readonly string[]): boolean {
  const [before, after] = [
    partsOf(stored['url'] ?? stored['still']),
    partsOf(settings['url'] ?? settings['still']),
  ];
  if (after === undefined || before?.server === after.server) return false;
  if (kept.some((key) => stored[key] !== undefined)) return true;
  return before?.user !== undefined && after.user === undefined && kept.length === WRITE_ONLY.length;
}

function partsOf(url: unknown): { readonly user: string | undefined; readonly server: string } | undefined {
  if (typeof url !== 'string') return undefined;
  const [, scheme = '', user, host] = URL_PARTS.exec(url) ?? [];
  return { user, server: `${scheme}://${host ?? url}`.toLowerCase() };
}

function isWriteOnly(key: string): boolean {
  return (WRITE_ONLY as readonly string[]).includes(key);
}

function isUrl(key: string): boolean {
  return (URLS as readonly string[]).includes(key);
}
