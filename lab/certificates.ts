/** Certificates and keys of tests, made with openssl: files `NAME.pem` and `NAME.key` in a folder of the test. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface Certificate {
  /** That signs it; it signs itself without. */
  readonly by?: string;
  readonly subject?: string;
  readonly subjectAltName?: string;
}

export class Certificates {
  constructor(private readonly folder: string) {}

  /** Path of a file. */
  at(name: string): string {
    return path.join(this.folder, name);
  }

  /** Text of a file. */
  pem(name: string): string {
    return readFileSync(this.at(name), 'utf8');
  }

  /** @returns paths of its files */
  make(
    name: string,
    { by, subject = `/CN=${name}`, subjectAltName = 'IP:127.0.0.1' }: Certificate = {},
  ): { readonly cert: string; readonly key: string } {
    const [cert, key] = [`${name}.pem`, `${name}.key`];
    const keys = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key];
    const request = [...keys, '-subj', subject];
    const alternative = `subjectAltName=${subjectAltName}`;
    if (by === undefined)
      this.#openssl('req', '-x509', ...request, '-addext', alternative, '-days', '2', '-out', cert);
    else {
      writeFileSync(this.at(`${name}.ext`), alternative);
      this.#openssl('req', '-new', ...request, '-out', `${name}.csr`);
      const signing = ['-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-CAcreateserial'];
      const signed = ['-in', `${name}.csr`, '-extfile', `${name}.ext`, '-days', '2', '-out', cert];
      this.#openssl('x509', '-req', ...signing, ...signed);
    }
    return { cert: this.at(cert), key: this.at(key) };
  }

  #openssl(...args: readonly string[]): void {
    execFileSync('openssl', args, { stdio: 'ignore', cwd: this.folder });
  }
}
