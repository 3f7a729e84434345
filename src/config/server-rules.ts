/** Rules for `redis` and `rabbitmq` that the schema cannot express. Pure. */
import { REDIS_SCHEMES } from '../connections/redis-address';
import type { ConfigFault } from './faults';
import { BROKER_SCHEMES, MANAGEMENT_SCHEMES, type ActorsFile } from './schema';
import { serverPathProblem } from '../connections/server-path';
import type { ServerEntry, ServerSettings } from './schema-servers';
import { urlProblem } from '../url/url';
import type { WellFormed } from './well-formed';

export function serverFaults({ redis, rabbitmq }: WellFormed<ActorsFile>): ConfigFault[] {
  return [...faultsOf(redis, '$.redis', REDIS_SCHEMES), ...faultsOf(rabbitmq, '$.rabbitmq', BROKER_SCHEMES)];
}

function faultsOf(
  entry: WellFormed<ServerEntry> | undefined,
  at: string,
  schemes: readonly string[],
): ConfigFault[] {
  if (entry === undefined || entry === 'embedded') return [];
  if (typeof entry === 'string') return urlFaults(entry, at, schemes);
  return [
    ...formFaults(entry, at),
    ...(entry.url === undefined ? [] : urlFaults(entry.url, `${at}.url`, schemes)),
    ...managementFaults(entry.managementUrl, `${at}.managementUrl`),
  ];
}

function urlFaults(url: string, path: string, schemes: readonly string[]): ConfigFault[] {
  const problem = urlProblem(url, schemes);
  const wrong = problem === undefined ? serverPathProblem(url) : `${problem}, or "embedded"`;
  return wrong === undefined ? [] : [{ path, problem: wrong }];
}

function managementFaults(url: string | undefined, path: string): ConfigFault[] {
  if (url === undefined) return [];
  const excess = /[?#]/.test(url)
    ? 'has more than a host and a path; give the address of the management page alone'
    : undefined;
  const problem = urlProblem(url, MANAGEMENT_SCHEMES) ?? excess;
  return problem === undefined ? [] : [{ path, problem }];
}

/** Settings that must, and must not, be combined. */
function formFaults(entry: WellFormed<ServerSettings>, at: string): ConfigFault[] {
  const [embedded, url] = ['embedded' in entry, 'url' in entry];
  const faults: ConfigFault[] = [];
  const fault = (key: string, problem: string) => faults.push({ path: `${at}${key}`, problem });
  if (embedded && url) fault('', 'has both "embedded" and "url"; give one of them');
  if (!embedded && !url) fault('', 'has neither "embedded": true nor "url"; give one of them');
  if (url && 'port' in entry) fault('.port', 'belongs to an embedded server; put the port into the URL');
  if (url && 'maxMemoryBytes' in entry) fault('.maxMemoryBytes', 'belongs to the embedded Redis; remove it');
  if (embedded && !url && 'managementUrl' in entry)
    fault(
      '.managementUrl',
      'belongs to a RabbitMQ that runs elsewhere; the embedded one needs none; remove it',
    );
  if (embedded && !url && ('username' in entry || 'password' in entry))
    fault('', 'an embedded server makes its own credentials; remove username and password');
  return faults;
}
