/** What a webhook is notified of: each trouble once, its end once, and nothing that did not happen. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCondition, type NoticeCondition } from '../../../../src/config/notice-conditions';
import type { CameraCondition } from '../../../../src/contract/condition';
import type { Seen, SeenCamera } from '../../../../src/actors/notices/seen';
import { Troubles, type KeptTroubles } from '../../../../src/actors/notices/troubles';

const START = 1_800_000_000_000;
const conditions = (...texts: string[]) => texts.map((text) => parseCondition(text) as NoticeCondition);
const ALL = conditions('offline > 60s', 'quarantined', 'spool > 80%', 'recovered');

/** A daemon under observation; its clocks advance by `pass`. */
class Watched {
  clockMs = 5000;
  atMs = START;
  spoolShare: number | undefined = 0;
  actors: Seen['actors'] = [];
  readonly cameras = new Map<string, SeenCamera>();
  troubles: Troubles;

  constructor(
    private readonly when = ALL,
    private readonly filter: { cameras?: string[]; tags?: string[] } = {},
    kept: KeptTroubles = {},
  ) {
    this.troubles = this.#open(kept);
  }

  #open(kept: KeptTroubles): Troubles {
    return new Troubles({ when: this.when, ...this.filter }, 'vigil', kept, this);
  }

  restart(): void {
    this.clockMs = 1;
    this.troubles = this.#open(JSON.parse(JSON.stringify(this.troubles.kept)) as KeptTroubles);
  }

  is(id: string, condition: CameraCondition, sinceMs = 0, tags: string[] = []): this {
    const fault = condition === 'offline' ? { fault: { code: 'refused', message: 'it refuses' } } : {};
    this.cameras.set(id, { id, condition, tags, since: this.atMs - sinceMs, presentMs: 10_000, ...fault });
    return this;
  }

  /** Looks after this many seconds, and returns what it reported, in short. */
  after(seconds: number): string[] {
    this.clockMs += seconds * 1000;
    this.atMs += seconds * 1000;
    return this.look().map(({ type, data }) =>
      [type.replace('vigil.', ''), data.camera ?? data.actor ?? '', data.reason ?? ''].join(' ').trim(),
    );
  }

  look() {
    const { atMs, clockMs, actors, spoolShare } = this;
    const cameras = [...this.cameras.values()];
    return this.troubles.look({
      atMs,
      clockMs,
      cameras,
      actors,
      ...(spoolShare === undefined ? {} : { spoolShare }),
    });
  }
}

describe('a webhook', () => {
  it('is notified once that a camera is offline, and once that it has recovered', () => {
    const daemon = new Watched().is('gate', 'delivering');
    assert.deepEqual(daemon.after(2), []);
    daemon.is('gate', 'offline', 11_000);
    assert.deepEqual(daemon.after(2), []);
    assert.deepEqual(daemon.after(45), []);
    assert.deepEqual(daemon.after(5), ['camera.offline gate']);
    assert.deepEqual(daemon.after(500), []);
    daemon.is('gate', 'starting');
    assert.deepEqual(daemon.after(2), []);
    daemon.is('gate', 'offline', 600_000);
    assert.deepEqual(daemon.after(2), []);
    daemon.is('gate', 'delivering');
    assert.deepEqual(daemon.after(2), ['camera.recovered gate']);
    assert.deepEqual(daemon.after(2), []);
    daemon.is('gate', 'offline', 11_000);
    daemon.after(2);
    assert.deepEqual(daemon.after(60), ['camera.offline gate']);
  });

  it('is notified of what happened, since when and why', () => {
    const daemon = new Watched().is('gate', 'offline', 75_000, ['north']);
    assert.deepEqual(daemon.look(), [
      {
        type: 'vigil.camera.offline',
        timestamp: new Date(START).toISOString(),
        data: {
          ...{ namespace: 'vigil', camera: 'gate', tags: ['north'] },
          since: new Date(START - 75_000).toISOString(),
          message: 'camera gate has delivered no picture for 75 s: it refuses',
          fault: { code: 'refused', message: 'it refuses' },
        },
      },
    ]);
  });

  it('is not notified of a shorter outage, nor of its end', () => {
    const daemon = new Watched().is('gate', 'delivering');
    daemon.after(2);
    daemon.is('gate', 'offline', 11_000);
    daemon.after(30);
    daemon.is('gate', 'delivering');
    assert.deepEqual(daemon.after(2), []);
  });

  it('is notified of a camera that never gets beyond starting', () => {
    const daemon = new Watched().is('gate', 'starting');
    daemon.after(2);
    assert.deepEqual(daemon.after(61), ['camera.offline gate']);
  });

  it('is not notified of cameras whose pictures wait for Redis or RabbitMQ, nor of disabled ones', () => {
    const daemon = new Watched().is('gate', 'waiting').is('off', 'disabled');
    assert.deepEqual([...daemon.after(2), ...daemon.after(600)], []);
  });

  it('is not notified when the clock is set: outages are measured by the monotonic clock', () => {
    const daemon = new Watched().is('gate', 'delivering');
    daemon.after(2);
    daemon.atMs += 3_600_000;
    daemon.is('gate', 'offline', 3_600_000);
    assert.deepEqual(daemon.after(2), []);
    daemon.is('gate', 'delivering');
    assert.deepEqual(daemon.after(2), []);
  });

  it('is notified neither twice nor too late across a restart', () => {
    const daemon = new Watched().is('gate', 'offline', 61_000).is('yard', 'offline', 11_000);
    assert.deepEqual(daemon.after(2), ['camera.offline gate']);
    daemon.restart();
    daemon.is('gate', 'starting').is('yard', 'starting');
    assert.deepEqual(daemon.after(2), []);
    assert.deepEqual(daemon.after(50), ['camera.offline yard']);
    daemon.restart();
    daemon.is('gate', 'delivering').is('yard', 'delivering');
    assert.deepEqual(daemon.after(2), ['camera.recovered gate', 'camera.recovered yard']);
  });

  it('is notified of quarantine at once, and of one end of outage and quarantine', () => {
    const daemon = new Watched().is('gate', 'quarantined', 1000);
    assert.deepEqual(daemon.after(2), ['camera.quarantined gate']);
    assert.deepEqual(daemon.after(70), ['camera.offline gate']);
    daemon.is('gate', 'starting');
    daemon.after(2);
    daemon.is('gate', 'quarantined');
    assert.deepEqual(daemon.after(2), []);
    daemon.is('gate', 'delivering');
    assert.deepEqual(daemon.after(2), ['camera.recovered gate']);
  });

  it('is notified that a camera it knows to be offline was disabled or removed', () => {
    const daemon = new Watched().is('gate', 'offline', 61_000).is('yard', 'offline', 61_000);
    daemon.after(2);
    daemon.is('gate', 'disabled').cameras.delete('yard');
    assert.deepEqual(daemon.after(2), ['camera.recovered gate disabled', 'camera.recovered yard removed']);
    assert.deepEqual(daemon.after(2), []);
  });

  it('is not notified of ends that it did not ask for', () => {
    const daemon = new Watched(conditions('offline > 60s')).is('gate', 'offline', 61_000);
    daemon.after(2);
    daemon.is('gate', 'delivering');
    assert.deepEqual(daemon.after(2), []);
  });

  it('is notified once that the spool fills, and once that it is emptier by a tenth', () => {
    const daemon = new Watched();
    const at = (share: number | undefined) => {
      daemon.spoolShare = share;
      return daemon.after(2);
    };
    assert.deepEqual(
      [0.8, 0.81, 0.79, 0.85, 0.73, undefined, 1.1, 0.71, 0.1].map((share) => at(share).join()),
      ['', 'spool.filling', '', '', '', '', '', 'spool.recovered', ''],
    );
  });

  it('is notified of each limit of the spool, and of one end', () => {
    const daemon = new Watched(conditions('spool > 50%', 'spool > 90%', 'recovered'));
    const at = (share: number) => {
      daemon.spoolShare = share;
      return daemon.after(2).join();
    };
    assert.deepEqual([0.6, 0.95, 0.6, 0.2].map(at), [
      'spool.filling',
      'spool.filling',
      '',
      'spool.recovered',
    ]);
  });

  it('is notified of other processes in quarantine', () => {
    const daemon = new Watched();
    const web = (isQuarantined: boolean) => {
      daemon.actors = [{ name: 'web', isQuarantined, since: START }];
      return daemon.after(2).join();
    };
    assert.deepEqual(
      [web(false), web(true), web(true), web(false), web(false)],
      ['', 'actor.quarantined web', '', 'actor.recovered web', ''],
    );
  });

  it('for some cameras is notified of those alone', () => {
    const filters: [object, string][] = [
      [{ cameras: ['gate'] }, 'gate'],
      [{ tags: ['north', 'none'] }, 'yard'],
      [{ cameras: ['gate'], tags: ['north'] }, 'gate,yard'],
    ];
    for (const [filter, told] of filters) {
      const daemon = new Watched(ALL, filter)
        .is('gate', 'offline', 61_000)
        .is('yard', 'offline', 61_000, ['north']);
      daemon.is('hall', 'offline', 61_000, ['south']);
      daemon.spoolShare = 0.9;
      daemon.actors = [{ name: 'web', isQuarantined: true, since: START }];
      assert.equal(
        daemon
          .look()
          .map(({ data }) => data.camera)
          .join(),
        told,
      );
    }
  });

  it('is notified once of a camera named like a property of every object', () => {
    const daemon = new Watched().is('__proto__', 'offline', 61_000).is('constructor', 'offline', 61_000);
    assert.equal(daemon.after(2).length, 2);
    daemon.restart();
    assert.deepEqual(daemon.after(2), []);
  });
});
