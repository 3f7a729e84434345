/** The summary: how many cameras are in which condition, which also filters; the servers and the spool; what is wrong. */
import type { VNode } from './vendor/preact.js';
import { html } from './vendor/html.js';
import type { ApiFault, ApiQueue, ApiState, CameraCondition } from '../src/actors/web/view/api';
import { CONDITION_NAMES, CONDITIONS, sentence } from './conditions.js';
import { useApp, useLost, useTopics } from './context.js';
import { ConditionIcon, Icon } from './icons.js';
import { topic } from './model.js';
import { bytesText, countText, shortDuration } from './times.js';

/** Frames pass through the spool within a second; this old, they wait for something. */
const SPOOL_MS = 10_000;
/** Shown even at 0; the others only if there is such a camera. */
const ALWAYS: readonly CameraCondition[] = ['delivering', 'waiting', 'offline', 'quarantined'];
const BY_URGENCY = [...CONDITIONS].sort((a, b) => place(a) - place(b));

function place(condition: CameraCondition): number {
  return condition === 'delivering' ? -1 : CONDITIONS.indexOf(condition);
}

export function Summary(): VNode | null {
  const { model } = useApp();
  useTopics(topic.state, topic.wall, topic.route);
  const lost = useLost();
  const { state } = model;
  if (state === undefined) return null;
  return html`<section class=${lost === undefined ? 'summary' : 'summary stale'} aria-label="Summary">
    <${Conditions} />
    <dl class="servers">
      <${Part} name="Spool" text=${spoolText(state)} isGood=${(state.spool.oldestAgeMs ?? 0) < SPOOL_MS} />
      <${Server} name="Redis" server=${state.redis} />
      <${Server} name="RabbitMQ" server=${state.rabbitmq} />
      <${Consumers} queue=${state.queue} />
    </dl>
  </section>`;
}

/** Counted from the cameras themselves, so that the numbers and the tiles never differ. */
function Conditions(): VNode {
  const { model, router } = useApp();
  const { conditions } = router.route.choice;
  const count = (condition: CameraCondition) =>
    [...model.cameras.values()].filter((camera) => camera.condition === condition).length;
  const toggle = (condition: CameraCondition) =>
    router.choose({
      conditions: conditions.includes(condition)
        ? conditions.filter((other) => other !== condition)
        : [...conditions, condition],
    });
  const shown = BY_URGENCY.filter(
    (condition) => ALWAYS.includes(condition) || count(condition) > 0 || conditions.includes(condition),
  );
  return html`<div class="conditions" role="group" aria-label="Filter by state">
    ${shown.map(
      (condition) =>
        html`<button
          key=${condition}
          class=${`condition is-${condition} ${count(condition) === 0 ? 'zero' : ''}`}
          aria-pressed=${conditions.includes(condition)}
          onClick=${() => toggle(condition)}
        >
          <${ConditionIcon} condition=${condition} />
          <strong>${countText(count(condition))}</strong>
          <span>${CONDITION_NAMES[condition]}</span>
        </button>`,
    )}
  </div>`;
}

function spoolText({ spool: { waiting, bytes, oldestAgeMs = 0 } }: ApiState): string {
  if (oldestAgeMs < SPOOL_MS) return 'no backlog';
  const frames = `${countText(waiting)} ${waiting === 1 ? 'frame' : 'frames'}`;
  return `${frames} (${bytesText(bytes)}), oldest ${shortDuration(oldestAgeMs)}`;
}

interface ServerProps {
  readonly name: string;
  readonly server: { readonly ready: boolean; readonly fault?: ApiFault };
}

function Server({ name, server }: ServerProps): VNode {
  return html`<${Part}
    name=${name}
    text=${server.ready ? 'ready' : 'not ready'}
    isGood=${server.ready}
    why=${server.fault?.message}
  />`;
}

/** Empty until the broker has reported on the queue. */
function Consumers({ queue }: { readonly queue?: ApiQueue }): VNode | null {
  if (queue === undefined) return null;
  const { name, consumers = 0, messages, limit } = queue;
  const isFull = messages >= limit;
  const count = consumers === 0 ? 'none' : countText(consumers);
  const why =
    consumers === 0
      ? `Nobody consumes the queue ${name}.`
      : `The queue ${name} holds ${countText(messages)} of at most ${countText(limit)} messages.`;
  return html`<${Part}
    name="Consumers"
    text=${`${count}, ${isFull ? 'queue full' : `${countText(messages)} queued`}`}
    isGood=${consumers > 0 && !isFull}
    why=${why}
  />`;
}

interface PartProps {
  readonly name: string;
  readonly text: string;
  readonly isGood: boolean;
  readonly why?: string;
}

function Part({ name, text, isGood, why }: PartProps): VNode {
  return html`<div class=${isGood ? 'good' : 'bad'} title=${why}>
    <dt>${name}</dt>
    <dd><${Icon} name=${isGood ? 'good' : 'problem'} />${text}</dd>
  </div>`;
}

/** What is wrong with Vigil and its servers, a sentence each. */
export function Problems(): VNode | null {
  const { model } = useApp();
  useTopics(topic.state);
  const { state } = model;
  if (state === undefined) return null;
  const faults = [state.redis, state.rabbitmq].flatMap(({ fault }) =>
    fault === undefined ? [] : [fault.message],
  );
  const untold = faults.filter((fault) => !state.problems.some((problem) => problem.includes(fault)));
  const sentences = [...new Set([...state.problems, ...untold].map(sentence))];
  if (sentences.length === 0) return null;
  return html`<ul class="problems" aria-label="Problems">
    ${sentences.map((text) => html`<li key=${text}><${Icon} name="problem" /><span>${text}</span></li>`)}
  </ul>`;
}
