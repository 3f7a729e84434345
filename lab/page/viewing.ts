/** What the tests of the page look at in it. */
import type { Browser, Locator, Page } from 'playwright-core';
import { waitUntil } from '../process';

/** Milliseconds that anything on the page may take on a busy machine. */
const DEADLINE_MS = 45_000;

export type Looks = NonNullable<Parameters<Browser['newContext']>[0]>;

export async function openPage(browser: Browser, url: string, looks: Looks = {}): Promise<Page> {
  const viewport = { width: 1280, height: 800 };
  const context = await browser.newContext({ viewport, reducedMotion: 'reduce', ...looks });
  const page = await context.newPage();
  page.setDefaultTimeout(DEADLINE_MS);
  await page.goto(url);
  return page;
}

export function tile(page: Page, id: string): Locator {
  return page.locator(`[data-camera="${id}"]`);
}

/** In the order of the wall. */
export async function tileIds(page: Page): Promise<string[]> {
  return page.evaluate(`[...document.querySelectorAll('[data-camera]')].map((tile) => tile.dataset.camera)`);
}

export async function tilesAre(page: Page, count: number): Promise<void> {
  await waitUntil(
    `${count} tiles are shown`,
    async () => (await tileIds(page)).length === count,
    DEADLINE_MS,
  );
}

/** What a tile's picture shows, as a data URL; empty where none is drawn. */
export async function drawn(page: Page, id: string): Promise<string> {
  return page.evaluate(`(() => {
    const image = document.querySelector('[data-camera="${id}"] img');
    if (!image?.naturalWidth) return '';
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width: 320, height: 180 }).getContext('2d').drawImage(image, 0, 0, 320, 180);
    return canvas.toDataURL();
  })()`);
}

/** Waits until a picture is drawn, and another in its place. */
export async function pictureChanges(page: Page, id: string): Promise<void> {
  let first = '';
  await waitUntil(`a picture of ${id} is drawn`, async () => (first = await drawn(page, id)) !== '');
  await waitUntil('another is drawn in its place', async () => ![first, ''].includes(await drawn(page, id)));
}

const CLOCK = String.raw`\d\d:\d\d:\d\d`;
/** A time with its day: `Wed 25 Nov, 12:03:11`. For regular expressions, as the next. */
export const DATE_TIME = String.raw`\w{3},? \d{1,2} \w+, ${CLOCK}`;
/** A time that has its day only if that is not today: which, depends on when a test runs. */
export const MOMENT = `(?:${DATE_TIME}|${CLOCK})`;

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };
export const COLOURS = ['light', 'dark'] as const;

export const close = (page: Page): Promise<void> => page.context().close();

/** Text of the element that has the focus. */
export const focused = (page: Page): Promise<string> =>
  page.evaluate<string>('document.activeElement.textContent.trim()');
