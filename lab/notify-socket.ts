/** A notification socket as systemd has one, and what is said on it. */
import path from 'node:path';
import { createInterface } from 'node:readline';
import { spawnOwned, waitUntil } from './process';

export interface NotifySocket {
  readonly path: string;
  /** Every assignment so far, such as `READY=1`. */
  readonly said: readonly string[];
  close(): Promise<void>;
}

export async function openNotifySocket(dir: string): Promise<NotifySocket> {
  const file = path.join(dir, 'notify.sock');
  const program = await spawnOwned('/usr/bin/python3', [path.join(__dirname, 'notify_socket.py'), file]);
  const said: string[] = [];
  createInterface({ input: program.stdout }).on('line', (line) =>
    said.push(...(JSON.parse(line) as string[])),
  );
  await waitUntil('the socket listens', () => said.includes('listening'));
  return {
    path: file,
    said,
    close: async () => {
      await program.end();
    },
  };
}
