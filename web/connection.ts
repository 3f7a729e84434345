/** The state of the connection to Vigil: lost, restored, or with clocks that differ. */
import type { VNode } from './vendor/preact.js';
import { html } from './vendor/html.js';
import { sentence } from './conditions.js';
import { useApp, useTopics } from './context.js';
import { Icon } from './icons.js';
import { topic, type Model } from './model.js';
import { clockTimeSeconds, duration, moment } from './times.js';

/** How long the restored connection is announced. */
const BACK_MS = 15_000;

export function Connection(): VNode {
  const { model } = useApp();
  useTopics(topic.link, topic.tick);
  const [kind, text] = notice(model);
  // The element is always present: a screen reader only announces changes inside it.
  return html`<div role="status" class=${`connection ${kind}`}>
    ${text !== '' && html`<${Icon} name=${kind === 'lost' ? 'problem' : 'good'} /><span>${text}</span>`}
  </div>`;
}

function notice({ link, heardAt, back }: Model): ['lost' | 'back' | 'none', string] {
  if (link.name === 'lost') {
    const why = sentence(link.why) || 'Check that Vigil runs and that this computer reaches it.';
    const since = `No connection to Vigil since ${moment(link.since, Date.now())}`;
    return heardAt === undefined
      ? ['lost', `${since}. Trying again. ${why}`]
      : [
          'lost',
          `${since}, showing the state of ${moment(heardAt, Date.now())}. Trying again. ${sentence(link.why)}`,
        ];
  }
  if (link.name === 'live' && back !== undefined && Date.now() - back.at < BACK_MS)
    return back.restarted
      ? ['back', `Vigil has restarted. Connected again since ${clockTimeSeconds(back.at)}.`]
      : ['back', `Connected again since ${clockTimeSeconds(back.at)}.`];
  return ['none', ''];
}

/** Ages are counted by the server's clock; this informs users who compare times with their own. */
export function clockDifference({ clockOffsetMs }: Model): string | undefined {
  if (clockOffsetMs === 0) return undefined;
  return `The clock of Vigil’s machine is ${duration(Math.abs(clockOffsetMs))} ${
    clockOffsetMs > 0 ? 'ahead of' : 'behind'
  } this computer’s. Ages are counted by Vigil’s.`;
}
