/** A browser whose pages are watched for complaints and for hosts that are none of ours. */
import assert from 'node:assert/strict';
import type { Browser, Page } from 'playwright-core';
import { startBrowser } from '../browser';
import { openPage, type Looks } from './viewing';

export class Visitor {
  /** What the browser complains of: a script or style that the policy refuses, an uncaught error. */
  readonly #complaints: string[] = [];
  /** Hosts that were asked for anything. */
  readonly #hosts = new Set<string>();

  private constructor(readonly browser: Browser) {}

  static async start(): Promise<Visitor> {
    return new Visitor(await startBrowser());
  }

  async open(url: string, looks: Looks = {}): Promise<Page> {
    const page = await openPage(this.browser, 'about:blank', looks);
    page.on('pageerror', (error) => this.#complaints.push(error.message));
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) this.#complaints.push(message.text());
    });
    page.on('request', (request) => {
      if (!request.url().startsWith('blob:')) this.#hosts.add(new URL(request.url()).origin);
    });
    await page.goto(url);
    return page;
  }

  /** Closes the browser. Throws when a page asked another host, or did not keep to its policy. */
  async leave(): Promise<void> {
    await this.browser.close();
    assert.deepEqual(
      [...this.#hosts].filter((host) => !host.startsWith('http://127.0.0.1:')),
      [],
      'a page asked another host',
    );
    assert.deepEqual(this.#complaints, [], 'what the browser complained of');
  }
}
