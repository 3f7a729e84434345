/**
 * Asks the embedded broker for what AMQP does not report, by Erlang's own `erl_call`: milliseconds, where `rabbitmqctl` takes
 * seconds of processor time, and no plugin, which would take memory all the time.
 */
import { text } from 'node:stream/consumers';
import type { BrokerView } from '../connections/bound-queues';
import { startChild, started, whyNotStarted } from '../os/child-process';
import { dieWithParent } from '../os/orphans';
import { Fault } from '../fault/fault';
import { findErlCall } from './rabbitmq-programs';

/** Milliseconds; a broker that starts does not answer. */
const ANSWER_MS = 5000;

/** rabbit_binding and rabbit_amqqueue as `rabbitmqctl list_bindings` and `list_queues` use them; base64 has no escapes. */
const QUESTION = `
V = <<"/">>,
P = fun(K, L) -> proplists:get_value(K, L) end,
B = [[P(source_name, I), P(destination_kind, I), P(destination_name, I)] ||
      I <- rabbit_binding:info_all(V, [source_name, destination_kind, destination_name])],
Q = [[element(4, P(name, I)), P(messages, I), P(consumers, I)] ||
      I <- rabbit_amqqueue:info_all(V, [name, messages, consumers])],
base64:encode_to_string(rabbit_json:encode(#{bindings => B, queues => Q})).
`;

interface Answer {
  readonly bindings: readonly (readonly [string, 'queue' | 'exchange', string])[];
  readonly queues: readonly (readonly [string, number, number])[];
}

/** @throws Fault `broker-call` if the broker does not answer, or there is no `erl_call` */
export async function callBroker(node: string, env: NodeJS.ProcessEnv): Promise<BrokerView> {
  const program = findErlCall();
  if (program === undefined)
    throw new Fault('broker-call', 'erl_call is missing, which belongs to Erlang (erlang-base on Debian)');
  const { bindings, queues } = await ask(program, node, env);
  return {
    bindings: (exchange) =>
      Promise.resolve(bindings.flatMap(([from, kind, to]) => (from === exchange ? [{ to, kind }] : []))),
    queue: (name) => {
      const found = queues.find(([each]) => each === name);
      return Promise.resolve(found && { messages: found[1], consumers: found[2] });
    },
  };
}

async function ask(program: string, node: string, env: NodeJS.ProcessEnv): Promise<Answer> {
  const command = dieWithParent('KILL', { program, args: ['-sname', node, '-e'] });
  const child = startChild(command.program, command.args, {
    env,
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: ANSWER_MS,
    killSignal: 'SIGKILL',
  });
  const failure = await started(child);
  if (failure !== undefined)
    throw new Fault('broker-call', `${program} cannot be started: ${whyNotStarted(failure)}`);
  child.stdin?.on('error', () => undefined).end(QUESTION);
  const said = child.stdout === null ? '' : await text(child.stdout);
  // The output is empty if it cannot connect, and `{error, ...}` if the call is not understood.
  const [, encoded] = /^\{ok, "([A-Za-z0-9+/=]+)"\}/.exec(said) ?? [];
  if (encoded === undefined)
    throw new Fault(
      'broker-call',
      'the embedded RabbitMQ did not answer; it is starting, stopped or very busy',
    );
  return JSON.parse(Buffer.from(encoded, 'base64').toString()) as Answer;
}
