/** What an edit would change, in sentences. Pure. */
import type { ApiChange, ApiPlan } from '../src/actors/web/view/api';

/** Names of the running camera's parameters that are called otherwise in its settings. */
const SETTINGS: Readonly<Record<string, string>> = {
  periodMs: 'rate',
  source: 'where its pictures come from',
};

export function planSentences({ start, stop, restart, adjust, leave }: ApiPlan): string[] {
  const changes = [
    ...start.map((name) => `${nameOf(name)} starts.`),
    ...stop.map((name) => `${nameOf(name)} stops.`),
    ...restart.map((change) => `${nameOf(change.name)} restarts: ${reasons(change)}.`),
    ...adjust.map((change) => `${nameOf(change.name)} goes on with another ${reasons(change)}.`),
  ];
  const cameras = leave.filter((name) => name.startsWith('camera:')).length;
  const rest = cameras === 1 ? '1 other camera is not touched.' : `${cameras} other cameras are not touched.`;
  return [
    ...(changes.length === 0 ? ['Nothing that runs is changed.'] : changes),
    ...(cameras === 0 ? [] : [rest]),
  ];
}

function nameOf(actor: string): string {
  const id = /^camera:(.+)$/.exec(actor)?.[1];
  return id === undefined ? `Vigil’s ${actor}` : `Camera ${id}`;
}

function reasons({ because }: ApiChange): string {
  return because.map((name) => SETTINGS[name] ?? name).join(', ');
}
