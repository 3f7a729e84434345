/** What editors and the daemon say of a configuration. Import it in a test file only. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { rootCertificates } from 'node:tls';
import Ajv from 'ajv';
import { editorSchema } from '../../src/config/editor-schema';
import { ConfigurationError } from '../../src/config/faults';
import { parseTopology } from '../../src/config/load';

const DIR = mkdtempSync(path.join(tmpdir(), 'vigil-corpus-'));
export const CERTIFICATES = path.join(DIR, 'ca.pem');
writeFileSync(CERTIFICATES, rootCertificates[0] ?? '');
after(() => rmSync(DIR, { recursive: true }));

const isValidForEditors = new Ajv({ allErrors: true, logger: false }).compile(editorSchema() as object);

/** What the daemon says of a file; empty if it is valid. */
export function saidByDaemon(file: unknown, environment: NodeJS.ProcessEnv): string {
  try {
    parseTopology(JSON.stringify(file), path.join(DIR, 'actors.json'), environment);
    return '';
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, error as Error);
    return error.message;
  }
}

/** @returns whether the file is valid */
export function agreed(file: unknown, environment: NodeJS.ProcessEnv = {}): boolean {
  const said = saidByDaemon(file, environment);
  const isValid = isValidForEditors(file);
  const errors = JSON.stringify(isValidForEditors.errors?.slice(0, 3));
  assert.equal(isValid, said === '', `${JSON.stringify(file)}\ndaemon: ${said}\neditor: ${errors}`);
  return isValid;
}
