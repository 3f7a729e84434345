/** The address of RabbitMQ's management API, as actors.json gives it. */
import type { ConfigFault } from './faults';
import { urlProblem, withCredentials } from './url';

/**
 * @param server where it belongs to: its place in the file, and its own URL where it is one that runs elsewhere
 * @returns what is added to that server
 */
export function completeManagement(
  managementUrl: string | undefined,
  server: { readonly at: string; readonly url: string | undefined },
  faults: ConfigFault[],
): { readonly managementUrl?: string } {
  if (managementUrl === undefined) return {};
  const problem = misplaced(server) ?? urlProblem(managementUrl, ['http', 'https']) ?? excess(managementUrl);
  if (problem === undefined) return { managementUrl: withCredentials(managementUrl) };
  faults.push({ path: `${server.at}.managementUrl`, problem });
  return {};
}

function misplaced({
  at,
  url,
}: {
  readonly at: string;
  readonly url: string | undefined;
}): string | undefined {
  if (at !== '$.rabbitmq') return 'belongs to RabbitMQ; remove it';
  return url === undefined
    ? 'belongs to a RabbitMQ that runs elsewhere; the embedded one needs none; remove it'
    : undefined;
}

function excess(url: string): string | undefined {
  return /[?#]/.test(url)
    ? 'has more than a host and a path; give the address of the management page alone'
    : undefined;
}
