/** Rules for `fleet` that the schema cannot express. Pure but for the certificates. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createSecureContext } from 'node:tls';
import type { ConfigFault } from './faults';
import type { ActorsFile } from './schema';
import { ETCD_SCHEMES } from './schema-fleet';
import type { WellFormed } from './well-formed';
import { urlProblem } from '../url/url';

/** @param folder that relative paths are resolved against */
export function fleetFaults({ fleet, ...file }: WellFormed<ActorsFile>, folder: string): ConfigFault[] {
  if (fleet === undefined) return [];
  const faults: ConfigFault[] = [];
  const fault = (at: string, problem: string) => faults.push({ path: `$.fleet${at}`, problem });
  const isOwn = typeof fleet.etcd === 'string';
  if (isOwn)
    for (const name of ['username', 'password', 'ca', 'cert', 'key'] as const)
      if (name in fleet) fault(`.${name}`, 'belongs to etcd servers that are named by URL; remove it');
  if (isOwn && fleet.etcd !== 'embedded' && /^https?:/.test(fleet.etcd))
    fault('.etcd', `is one URL where a list is expected: [${JSON.stringify(fleet.etcd)}]`);
  for (const [i, url] of (isOwn ? [] : (fleet.etcd ?? [])).entries()) {
    if (url === undefined) continue;
    const problem = urlProblem(url, ETCD_SCHEMES) ?? excessOf(url);
    if (problem !== undefined) fault(`.etcd[${i}]`, problem);
  }
  if ('username' in fleet && !('password' in fleet)) fault('.password', 'is required beside "username"');
  if ('password' in fleet && !('username' in fleet)) fault('.username', 'is required beside "password"');
  if ('cert' in fleet && !('key' in fleet)) fault('.key', 'is required beside "cert"');
  if ('key' in fleet && !('cert' in fleet)) fault('.cert', 'is required beside "key"');
  for (const name of ['redis', 'rabbitmq'] as const) {
    const server = file[name];
    const isEmbedded = server === 'embedded' || (typeof server === 'object' && 'embedded' in server);
    if (isOwn && fleet.etcd !== 'embedded' && typeof server === 'object' && isEmbedded)
      faults.push({
        path: `$.${name}`,
        problem: 'is embedded, and this node uses the servers that "fleet.etcd" names; remove it',
      });
    if (isEmbedded && !isOwn)
      faults.push({
        path: `$.${name}`,
        problem:
          'is embedded, and the nodes of a fleet share their servers; give the URL of one that all nodes reach, or "embedded" as "fleet.etcd", too, to try a fleet on one machine',
      });
  }
  for (const name of ['ca', 'cert', 'key'] as const) {
    const problem =
      isOwn || fleet[name] === undefined ? undefined : pemProblem(name, path.resolve(folder, fleet[name]));
    if (problem !== undefined) fault(`.${name}`, problem);
  }
  return faults;
}

function excessOf(url: string): string | undefined {
  const { pathname, search, hash, username } = new URL(url);
  if (username !== '') return 'has a user name; give "fleet.username" and "fleet.password" instead';
  return pathname !== '/' || search !== '' || hash !== ''
    ? 'has more than a host and a port; remove the rest'
    : undefined;
}

function pemProblem(name: 'ca' | 'cert' | 'key', file: string): string | undefined {
  try {
    createSecureContext({ [name]: readFileSync(file, 'utf8') });
    return undefined;
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return 'there is no such file; it is looked for beside actors.json';
    return `cannot be used (${code.startsWith('E') && !code.startsWith('ERR_') ? code : message}); expected a PEM file`;
  }
}
