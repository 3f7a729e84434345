/** Files of a configuration in a folder of the test's own, and edits of them. Import it in a test file only. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { editFile, type EditRequest } from '../../../../src/config/edit/file';
import type { Settings } from '../../../../src/config/edit/hidden';

export const ROOT = mkdtempSync(path.join(tmpdir(), 'vigil-edit-'));
after(() => rmSync(ROOT, { recursive: true }));
export const SECRET = 'C4n4ry';
export const GATE = {
  id: 'gate',
  url: `rtsp://admin:${SECRET}@10.0.0.1:554/live?token=${SECRET}`,
  password: '${GATE_PASSWORD}',
};
export const FILE = { namespace: 'n', cameras: [GATE, { id: 'test', test: 'testsrc2' }] };
export const ENVIRONMENT = { GATE_PASSWORD: SECRET, OTHER: SECRET };

/** A folder with that file in it. */
export function newFile(content: unknown = FILE): string {
  const file = path.join(mkdtempSync(path.join(ROOT, 'f-')), 'actors.json');
  writeFileSync(file, typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`);
  return file;
}

export const edited = (file: string, request: EditRequest) =>
  editFile(file, ENVIRONMENT, request, () => undefined);
export const put = (camera: string, settings: Settings): EditRequest => ({
  edit: { kind: 'put', camera, settings },
});
export const patch = (camera: string, settings: Settings): EditRequest => ({
  edit: { kind: 'patch', camera, settings },
});
export const remove = (camera: string): EditRequest => ({ edit: { kind: 'remove', camera } });
export const camerasOf = (file: string) =>
  (JSON.parse(readFileSync(file, 'utf8')) as { cameras: Settings[] }).cameras;
