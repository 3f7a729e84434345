/** Rules for `http` that the schema cannot express. Pure but for the certificate. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createSecureContext } from 'node:tls';
import type { ConfigFault } from './faults';
import type { ActorsFile } from './schema';
import { LOOPBACK_PATTERN } from './schema-http';
import type { WellFormed } from './well-formed';

const LOOPBACK = new RegExp(LOOPBACK_PATTERN, 'u');

/** @param folder that relative paths are resolved against */
export function httpFaults({ http }: WellFormed<ActorsFile>, folder: string): ConfigFault[] {
  if (http === undefined || http === false) return [];
  const { host } = http;
  const faults: ConfigFault[] = [];
  const fault = (key: string, problem: string) => faults.push({ path: `$.http.${key}`, problem });
  if (host !== undefined && !isLoopback(host) && !('token' in http))
    fault(
      'token',
      `is required, as "host" is ${host} and others can reach it there; set "token": "$\{VIGIL_TOKEN}", or "host" to 127.0.0.1`,
    );
  if ('cert' in http && !('key' in http)) fault('key', 'is required beside "cert"');
  if ('key' in http && !('cert' in http)) fault('cert', 'is required beside "key"');
  const { cert, key } = http;
  if (cert === undefined || key === undefined) return faults;
  const files = { cert: readPem(path.resolve(folder, cert)), key: readPem(path.resolve(folder, key)) };
  for (const [name, file] of Object.entries(files)) if ('problem' in file) fault(name, file.problem);
  if ('text' in files.cert && 'text' in files.key) {
    const problem = pairProblem(files.cert.text, files.key.text);
    if (problem !== undefined) fault('cert', problem);
  }
  return faults;
}

export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

function readPem(file: string): { readonly text: string } | { readonly problem: string } {
  try {
    return { text: readFileSync(file, 'utf8') };
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    return {
      problem:
        code === 'ENOENT'
          ? 'there is no such file; it is looked for beside actors.json'
          : `cannot be read (${code}); check its permissions`,
    };
  }
}

function pairProblem(cert: string, key: string): string | undefined {
  try {
    // OpenSSL's own message is "key values mismatch".
    if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)))
      return 'and "key" do not belong together; give the private key the certificate was made for';
    createSecureContext({ cert, key });
    return undefined;
  } catch (error) {
    const { message } = error as Error;
    return `and "key" cannot be used together (${message}); expected a certificate and its private key without a passphrase, both PEM`;
  }
}
