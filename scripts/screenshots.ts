/**
 * `npm run screenshots`: pictures of the page with a simulated installation behind it, in screenshots/: its views at the
 * size of a phone and of a desktop, light and dark. `--docs` renews those in README.md instead. `--data-dir DIR` also renews
 * docs/images/status.svg, from what `status` prints of the daemon that runs there; exit 1 where none does.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { startBrowser } from '../lab/browser';
import { PageServer, type PageServerOptions } from '../lab/page/server';
import { openPage } from '../lab/page/viewing';
import { waitUntil } from '../lab/process';
import { terminalSvg } from '../lab/terminal-svg';

const ROOT = path.resolve(__dirname, '..');
const FOLDER = path.join(ROOT, 'screenshots');
const IMAGES = path.join(ROOT, 'docs/images');
const DAY_MS = 86_400_000;
const COMMAND = 'node dist/main.js status';

const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1440, height: 900 } } as const;
const COLOURS = ['light', 'dark'] as const;
const COUNTS = [4, 200];
const VIEWS = {
  wall: '',
  camera: '#/camera/dock-north-1',
  offline: '#/camera/gate-north-1',
  crashed: '#/camera/dock-south-3',
} as const;
/** What README.md shows: cameras, view, colours, height of the window. */
const IN_README = [
  { to: 'wall.webp', cameras: 40, path: '', colorScheme: 'dark', height: 900 },
  { to: 'camera.webp', cameras: 40, path: '#/camera/', colorScheme: 'light', height: 1060 },
] as const;

type Looks = NonNullable<Parameters<Browser['newContext']>[0]>;

async function photograph(browser: Browser): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  for (const [size, viewport] of Object.entries(SIZES))
    for (const colorScheme of COLOURS) {
      const looks = { viewport, colorScheme };
      const file = (view: string) => path.join(FOLDER, `${view}-${size}-${colorScheme}.png`);
      for (const cameras of COUNTS)
        await withPage(browser, { cameras }, looks, async (page, server) => {
          for (const [view, hash] of Object.entries(VIEWS)) {
            if (view !== 'wall' && cameras < 10) continue;
            await page.goto(`${server.url}${hash}`);
            await settled(page);
            await page.screenshot({ path: file(`${view}-${cameras}`) });
          }
        });
      await withPage(browser, { cameras: 12 }, looks, async (page, server) => {
        await photographForm(page, server, file);
      });
      await withPage(browser, { cameras: 12 }, looks, async (page, server) => {
        await settled(page);
        server.world.redisFault = { code: 'oom', message: 'Redis takes no frames: its memory is full' };
        server.world.problems = [
          'frames are not delivered: Redis takes no frames: its memory is full; raise maxmemory',
        ];
        server.send('state', server.world.state());
        await page.locator('.problems').waitFor();
        await server.pause();
        await page
          .getByText(/^\d+ s old$/)
          .first()
          .waitFor();
        await page.screenshot({ path: file('lost') });
      });
      await withPage(browser, { cameras: 0 }, looks, async (page) => {
        await page.locator('.empty-state').waitFor();
        await page.screenshot({ path: file('empty') });
      });
      await withPage(browser, { cameras: 0, token: 'secret' }, looks, async (page) => {
        await page.locator('.sign-in').waitFor();
        await page.screenshot({ path: file('sign-in') });
      });
    }
}

/** Adding and editing a camera: the form, a fault in it, the plan. */
async function photographForm(page: Page, server: PageServer, file: (view: string) => string): Promise<void> {
  await settled(page);
  await page.getByRole('button', { name: 'Add camera' }).click();
  await page.getByLabel('Name', { exact: true }).fill('gate-new');
  await page.getByLabel('URL').fill('rtsp://192.168.1.20/stream');
  await page.screenshot({ path: file('add') });
  await page.getByRole('button', { name: 'Review' }).click();
  await page.getByRole('button', { name: 'Add camera', exact: true }).last().waitFor();
  await page.screenshot({ path: file('plan') });
  await page.goto(`${server.url}#/camera/gate-north-1`);
  await page.reload();
  await settled(page);
  await page.getByRole('button', { name: 'Probe' }).click();
  await page.locator('.probe').waitFor();
  await page.screenshot({ path: file('probe'), fullPage: true });
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByLabel('Other settings, as JSON').fill('{ "rtae": 2 }');
  await page.getByRole('button', { name: 'Review' }).click();
  await page.getByText('rtae: unknown key').waitFor();
  await page.screenshot({ path: file('edit') });
}

async function renewImages(browser: Browser): Promise<void> {
  for (const { to, cameras, path: hash, colorScheme, height } of IN_README)
    await withPage(
      browser,
      { cameras },
      { viewport: { width: 1440, height }, colorScheme },
      async (page, server) => {
        await settled(page);
        if (hash === '') await letOneAge(server, page);
        else {
          await page.goto(`${server.url}${hash}${withGaps(server)}`);
          await settled(page);
        }
        await sharp(await page.screenshot())
          .webp({ quality: 82 })
          .toFile(path.join(IMAGES, to));
      },
    );
}

/** The camera that delivers again, with the most gaps. */
function withGaps({ world }: PageServer): string {
  const { cameras } = world.ledger(Date.now() - DAY_MS, 288);
  const gaps = (id: string) =>
    cameras[id]?.filter(({ missed }) => Object.keys(missed).length > 0).length ?? 0;
  const delivering = [...world.cameras.values()].filter(({ condition }) => condition === 'delivering');
  return delivering.map(({ id }) => id).sort((a, b) => gaps(b) - gaps(a))[0] ?? '';
}

async function withPage(
  browser: Browser,
  options: PageServerOptions,
  looks: Looks,
  act: (page: Page, server: PageServer) => Promise<void>,
): Promise<void> {
  const server = await PageServer.start(options);
  const page = await openPage(browser, server.url, looks);
  await act(page, server);
  await page.context().close();
  await server.stop();
}

/** One camera goes offline while the viewer watches: its last picture stays, darkened, under its age. */
async function letOneAge(server: PageServer, page: Page): Promise<void> {
  server.setCondition('dock-east-1', 'offline');
  await page.getByText(/^[1-9]\d s old$/).waitFor();
}

/** Every picture that is in view has been drawn, and the ledger has been read. */
async function settled(page: Page): Promise<void> {
  await page.waitForSelector('.strip svg');
  await waitUntil('every picture in view is drawn', () =>
    page.evaluate<boolean>(`[...document.querySelectorAll('.picture')].every((picture) => {
      const { top, bottom } = picture.getBoundingClientRect();
      return bottom < 0 || top > innerHeight || picture.querySelector('.veil') || picture.querySelector('img')?.naturalWidth > 0;
    })`),
  );
  await page.waitForTimeout(300);
}

function renewStatus(dataDir: string): void {
  const { stdout, stderr } = spawnSync(process.execPath, ['dist/main.js', 'status', '--data-dir', dataDir], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (stdout === '') {
    process.stderr.write(stderr);
    process.exitCode = 1;
    return;
  }
  mkdirSync(IMAGES, { recursive: true });
  writeFileSync(path.join(IMAGES, 'status.svg'), terminalSvg(COMMAND, stdout));
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { 'data-dir': { type: 'string' }, docs: { type: 'boolean' } } });
  const browser = await startBrowser({ FONTCONFIG_FILE: path.join(ROOT, 'lab/page/fonts.conf') });
  try {
    await (values.docs === true ? renewImages(browser) : photograph(browser));
  } finally {
    await browser.close();
  }

  if (values['data-dir'] !== undefined) renewStatus(path.resolve(values['data-dir']));
}

void main();
