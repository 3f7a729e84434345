/** Rules for `notify` that the schema cannot express. Pure. */
import type { ConfigFault } from './faults';
import { unknownFaults } from './known-cameras';
import { parseCondition } from './notice-conditions';
import type { ActorsFile } from './schema';
import { SECRET_BYTES, WEBHOOK_SCHEMES } from './schema-notify';
import { urlProblem } from '../url/url';
import type { WellFormed } from './well-formed';

type File = WellFormed<ActorsFile>;
type Entry = WellFormed<ActorsFile['notify'][number]>;

export function notifyFaults({ notify = [], cameras = [] }: File): ConfigFault[] {
  const known = {
    ids: new Set(cameras.map((camera) => camera?.id)),
    tags: new Set(cameras.flatMap((camera) => camera?.tags ?? [])),
  };
  return notify.flatMap((entry, i) => {
    if (entry === undefined) return [];
    const at = `$.notify[${i}]`;
    return [
      ...urlFaults(entry, at),
      ...secretFaults(entry, at),
      ...whenFaults(entry.when, at),
      ...unknownFaults(entry, known, at),
    ];
  });
}

function urlFaults({ webhook }: Entry, at: string): ConfigFault[] {
  const problem = webhook === undefined ? undefined : urlProblem(webhook, WEBHOOK_SCHEMES);
  return problem === undefined ? [] : [{ path: `${at}.webhook`, problem }];
}

function secretFaults({ secret }: Entry, at: string): ConfigFault[] {
  if (secret === undefined) return [];
  const [least, most] = SECRET_BYTES;
  const bytes = Buffer.from(secret.replace('whsec_', ''), 'base64').length;
  if (bytes >= least && bytes <= most) return [];
  const problem = `expected ${least} to ${most} bytes in base64 after "whsec_", found ${bytes}; make one with: echo "whsec_$(openssl rand -base64 32)"`;
  return [{ path: `${at}.secret`, problem }];
}

function whenFaults(when: Entry['when'], at: string): ConfigFault[] {
  const seen = new Set<string>();
  const faults = (when ?? []).flatMap((written, i): ConfigFault[] => {
    if (written === undefined) return [];
    const path = `${at}.when[${i}]`;
    const condition = parseCondition(written);
    if ('problem' in condition) return [{ path, problem: condition.problem }];
    if (seen.has(condition.text))
      return [{ path, problem: `repeats "${condition.text}"; remove one of them` }];
    seen.add(condition.text);
    return [];
  });
  if (faults.length === 0 && seen.size === 1 && seen.has('recovered'))
    faults.push({
      path: `${at}.when`,
      problem: 'has only "recovered"; add what is to recover from, such as "offline > 60s"',
    });
  return faults;
}
