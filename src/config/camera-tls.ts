/** Whether the certificates of cameras are verified: from the settings of actors.json to what readers need. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { ConfigFault } from './faults';
import type { CameraTls, SupervisedCamera } from './topology';
import { schemeOf } from '../url/url';
import type { WellFormed } from './well-formed';

/** What `cameraDefaults.tls`, or `tls` of a camera, may contain. */
export interface TlsEntry {
  readonly verify?: boolean;
  readonly ca?: string;
}

/** A certificate of a PEM file. */
export const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;
const ENCRYPTED = /^(?:rtsps|https|rtmps):/i;

/** True for a feed whose URL itself requires TLS. */
export function isEncrypted(url: string): boolean {
  return ENCRYPTED.test(url);
}

/**
 * How a camera's certificate is verified; undefined if it is not.
 * @param own the camera's own settings; they take precedence over the defaults
 */
export function resolveTls(own: TlsEntry, defaults: TlsEntry, folder: string): CameraTls | undefined {
  // A trusted certificate (`ca`) implies verification.
  const verify = own.verify ?? (own.ca !== undefined || (defaults.verify ?? defaults.ca !== undefined));
  if (!verify) return undefined;
  const given = own.ca ?? defaults.ca;
  return given === undefined ? {} : { ca: path.resolve(folder, given) };
}

/** @param url of the camera, if known */
export function tlsFaults(
  { ca, verify }: WellFormed<TlsEntry>,
  at: string,
  folder: string,
  url: string | undefined,
): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const fault = (problem: string) => faults.push({ path: `${at}.tls`, problem });
  if (ca !== undefined && verify === false) fault('has "ca" and "verify": false; remove one of them');
  const asked = ca !== undefined || verify === true;
  if (asked && url !== undefined && schemeOf(url) !== undefined && !isEncrypted(url))
    fault('verifies nothing over a URL without encryption; use rtsps://, https:// or rtmps://, or remove it');
  return [...faults, ...certificateFaults(ca, at, folder)];
}

export function certificateFaults(ca: string | undefined, at: string, folder: string): ConfigFault[] {
  const problem = ca === undefined ? undefined : certificateProblem(path.resolve(folder, ca));
  return problem === undefined ? [] : [{ path: `${at}.tls.ca`, problem }];
}

/** What is wrong with a file of certificates. */
function certificateProblem(file: string): string | undefined {
  // The name becomes part of a line that ffmpeg reads.
  if (/\p{Cc}/u.test(file)) return 'has a control character in its name; rename the file';
  try {
    const found = readFileSync(file, 'latin1').match(PEM_CERTIFICATE) ?? [];
    for (const certificate of found) new X509Certificate(certificate);
    return found.length > 0 ? undefined : 'has no certificate in it; expected PEM (BEGIN CERTIFICATE)';
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return 'there is no such file; it is looked for beside actors.json';
    return /^E[A-Z]+$/.test(code)
      ? `cannot be read (${code}); check its permissions`
      : 'has a certificate that cannot be read; expected PEM';
  }
}

/** Ids of cameras that are read over TLS without verification. */
export function unverified(cameras: readonly SupervisedCamera[]): string[] {
  return overTls(cameras, false);
}

/** Ids of cameras whose certificates are verified. */
export function verified(cameras: readonly SupervisedCamera[]): string[] {
  return overTls(cameras, true);
}

function overTls(cameras: readonly SupervisedCamera[], isVerified: boolean): string[] {
  return cameras.flatMap(({ id, source }) =>
    'url' in source && isEncrypted(source.url) && (source.tls !== undefined) === isVerified ? [id] : [],
  );
}

/** What {@link unverified} means, in one sentence. */
export function unverifiedSentence(ids: readonly string[]): string {
  return `the certificate of ${shown(ids)} is not verified: the connection is encrypted, but an impostor of the camera is not detected; "tls": {"verify": true} verifies it (docs/security.md)`;
}

/** The message when an edit has turned verification on. */
export function verifiedSentence(ids: readonly string[]): string {
  return `the certificate of ${shown(ids)} is verified from now on`;
}

function shown(ids: readonly string[]): string {
  return ids.slice(0, 10).join(', ') + (ids.length > 10 ? ` and ${ids.length - 10} more` : '');
}
