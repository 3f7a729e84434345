import { watchFeed } from './test/support/watch-feed';
void (async () => {
  const [ms, url = '', extra = '{}'] = process.argv.slice(2);
  const feed = watchFeed(url, JSON.parse(extra), true);
  await new Promise((r) => setTimeout(r, Number(ms)));
  let last = 0; const d: number[] = [];
  for (const p of feed.pictures) { d.push(p.at - last); last = p.at; }
  console.log(url, 'pictures', feed.pictures.length, 'missed', feed.missed(), feed.faults.map((e) => e.message), d.slice(1).join(' '), new Set(feed.pictures.map((p) => p.width)), feed.pictures.filter((p) => p.evidence.damage).length);
  await feed.end();
})();
