/** TLS to a camera: encrypted only, or verified; and what is wrong with a certificate, in plain text for operators. */
import { readFileSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import { checkServerIdentity, type ConnectionOptions } from 'node:tls';
import { PEM_CERTIFICATE } from '../../../config/camera-tls';
import type { CameraTls } from '../../../config/topology';
import { Fault } from '../../../fault/fault';

/**
 * Cameras have self-made certificates and old TLS versions: like ffmpeg, Vigil encrypts but does not verify.
 */
const UNVERIFIED = {
  rejectUnauthorized: false,
  minVersion: 'TLSv1',
  ciphers: 'DEFAULT@SECLEVEL=0',
} as const;

/**
 * How a connection to a camera is encrypted.
 * @param tls undefined: any certificate is accepted
 * @throws what reading the configured certificates throws
 */
export function tlsOptions(tls: CameraTls | undefined): ConnectionOptions {
  if (tls === undefined) return UNVERIFIED;
  if (tls.ca === undefined) return { rejectUnauthorized: true };
  const ca = readFileSync(tls.ca, 'latin1').match(PEM_CERTIFICATE) ?? [];
  const given = new Set(ca.map((certificate) => new X509Certificate(certificate).fingerprint256));
  return {
    rejectUnauthorized: true,
    ca,
    // A certificate that is itself in the file is accepted whatever its name: many cameras use the name of
    // their model.
    checkServerIdentity: (host, peer) =>
      given.has(peer.fingerprint256) ? undefined : checkServerIdentity(host, peer),
  };
}

/** Codes of X.509 verification (openssl-verification-options(1)) and of Node.js's own check of the name. */
const CERTIFICATE_CODE =
  /^(?:ERR_TLS_CERT_ALTNAME\w*|HOSTNAME_MISMATCH|CERT_\w+|CRL_\w+|\w*SELF_SIGNED_CERT\w*|UNABLE_TO_\w+|INVALID_(?:CA|PURPOSE)|PATH_LENGTH_EXCEEDED|ERROR_IN_CERT_\w+)$/;

/**
 * Why a certificate is not accepted; undefined for an error of another kind. The message follows the feed's
 * name.
 */
export function trustFault(error: unknown): Fault | undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string' || !CERTIFICATE_CODE.test(code)) return undefined;
  return new Fault('tls-untrusted', sentenceOf(code));
}

function sentenceOf(code: string): string {
  if (/ALTNAME|HOSTNAME/.test(code))
    return 'has a certificate for another name; write the name that is in it into the URL, or put this certificate itself into the file of "ca" in "tls"';
  if (/EXPIRED/.test(code))
    return 'has a certificate that has expired; renew it in the camera, and check the clock of this machine';
  if (/NOT_YET/.test(code))
    return 'has a certificate that is not valid yet; check the clocks of the camera and of this machine';
  return `has a certificate that no trusted authority has signed (${code}); put it, or the certificate of its issuer, into the file that "ca" in "tls" of this camera names`;
}
