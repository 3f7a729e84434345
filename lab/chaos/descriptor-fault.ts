/** The row of the fault table on descriptors: no process of the daemon can open a file or a connection. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { below, processTable } from '../process-table';
import { run } from '../process';
import type { Row } from './row';

/** Soft and hard limit of a process, as proc(5) shows them. */
function limitsOf(pid: number): string {
  const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
  const [, soft = '', hard = ''] = /^Max open files +(\d+) +(\d+)/m.exec(limits) ?? [];
  return `${soft}:${hard}`;
}

async function limit(pid: number, limits: string): Promise<void> {
  const { code, stderr } = await run('prlimit', ['--pid', String(pid), `--nofile=${limits}`]);
  if (code !== 0) throw new Error(`prlimit ended with ${String(code)}: ${stderr}`);
}

export const outOfDescriptors: Row = {
  name: 'descriptors',
  inject: async ({ daemonPid }, ms) => {
    const pids = [daemonPid, ...below(processTable(), daemonPid).map(({ pid }) => pid)];
    const before = new Map(pids.map((pid) => [pid, limitsOf(pid)]));
    for (const [pid, limits] of before)
      await limit(pid, `${readdirSync(`/proc/${pid}/fd`).length}:${limits.split(':')[1] ?? ''}`);
    await sleep(ms);
    for (const [pid, limits] of before) await limit(pid, limits).catch(() => undefined);
  },
};
