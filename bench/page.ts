/**
 * `npm run bench -- page [--cameras N] [--seconds N]`: what the page costs a browser, all its processes
 * together, with a simulated installation whose cameras each have a new picture a second; and how much it
 * loads.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { startBrowser } from '../lab/browser';
import { PageServer } from '../lab/page/server';

const SETTLE_MS = 5000;
const VIEWPORT = { width: 1440, height: 900 };
const VIEWS = {
  'wall, worst first': '',
  'wall, all deliver': '?state=delivering',
  'wall, small tiles': '?state=delivering&size=small',
  'one camera': '#/camera/dock-north-1',
} as const;

interface Loaded {
  bytes: number;
  files: number;
  pictures: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { cameras: { type: 'string', default: '200' }, seconds: { type: 'string', default: '15' } },
  });
  const server = await PageServer.start({ cameras: Number(values.cameras) });
  const browser = await startBrowser();
  process.stdout.write(`${values.cameras} cameras, ${VIEWPORT.width}x${VIEWPORT.height}\n`);
  for (const [name, path] of Object.entries(VIEWS))
    process.stdout.write(await measure(browser, name, `${server.url}${path}`, Number(values.seconds)));
  await browser.close();
  await server.stop();
}

async function measure(browser: Browser, name: string, url: string, seconds: number): Promise<string> {
  const context = await browser.newContext({ viewport: VIEWPORT });
  const page = await context.newPage();
  const loaded = countLoads(page);
  await page.goto(url);
  await delay(SETTLE_MS);
  const first = { ...loaded };
  const [before, startedAt] = [await processorSeconds(browser), performance.now()];
  await delay(seconds * 1000);
  const tookS = (performance.now() - startedAt) / 1000;
  const share = ((await processorSeconds(browser)) - before) / tookS;
  await context.close();
  const rate = (loaded.pictures - first.pictures) / tookS;
  return (
    `  ${name.padEnd(20)} ${(100 * share).toFixed(1)} % of a core, ${rate.toFixed(1)} pictures a second; ` +
    `first ${first.files} files, ${Math.round(first.bytes / 1000)} kB without pictures\n`
  );
}

function countLoads(page: Page): Loaded {
  const loaded: Loaded = { bytes: 0, files: 0, pictures: 0 };
  page.on('requestfinished', (request) => {
    if (request.url().startsWith('blob:')) return;
    if (request.url().includes('latest.jpg')) loaded.pictures++;
    else {
      loaded.files++;
      void request.sizes().then(({ responseBodySize }) => (loaded.bytes += responseBodySize));
    }
  });
  return loaded;
}

/** Processor time of all processes of the browser since their start. */
async function processorSeconds(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
}

void main();
