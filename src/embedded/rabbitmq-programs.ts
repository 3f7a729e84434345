/** Where RabbitMQ's programs are on this machine. */
import path from 'node:path';
import { findProgram, isExecutable } from '../os/orphans';

/** The broker's own start script: Debian's wrapper on PATH changes the user. */
export function findRabbitmq(): string | undefined {
  const debian = '/usr/lib/rabbitmq/bin/rabbitmq-server';
  return isExecutable(debian) ? debian : findProgram('rabbitmq-server');
}

/** Erlang's port mapper: on PATH, or inside the Erlang installation where distributions leave it. */
export function findEpmd(): string | undefined {
  return findOfErlang('epmd');
}

/** Erlang's program for calls to a node, found like {@link findEpmd}. */
export function findErlCall(): string | undefined {
  return findOfErlang('erl_call');
}

function findOfErlang(program: string): string | undefined {
  const erl = findProgram('erl');
  const beside = erl === undefined ? undefined : path.join(path.dirname(erl), program);
  return findProgram(program) ?? (beside !== undefined && isExecutable(beside) ? beside : undefined);
}
