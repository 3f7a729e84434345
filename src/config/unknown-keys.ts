/** Suggests what an unknown key was meant to be: another key of the same object, or the same key in another place. Pure. */
import { closest, distance } from 'fastest-levenshtein';
import { ActorsFile } from './schema';

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
}

/** What operators call the settings of a camera. */
const SYNONYMS: Readonly<Record<string, string>> = {
  name: 'id',
  fps: 'rate',
  host: 'url',
  ip: 'url',
  address: 'url',
  rtsp: 'url',
  user: 'username',
  login: 'username',
  secret: 'password',
};

/**
 * The sentence for a key that an object does not have.
 * @param section JSON path of the object, with `[N]` for an index
 * @param known keys of the object
 * @param used keys that it has already: none of them is suggested
 */
export function unknownKey(
  key: string,
  section: string,
  known: readonly string[],
  used: ReadonlySet<string>,
): string {
  const synonym = isCamera(section) ? SYNONYMS[key.toLowerCase()] : undefined;
  const meant =
    synonym !== undefined && known.includes(synonym) && !used.has(synonym)
      ? synonym
      : alike(key, known, used);
  const places = synonym === undefined ? placesOf(key, section) : [];
  if (meant === undefined && places.length === 0) return `unknown key; known here: ${known.join(', ')}`;
  const hint = meant === undefined ? '' : `did you mean "${meant}"?`;
  const elsewhere = places.length === 0 ? '' : `"${key}" belongs in ${listed(places)}`;
  return `unknown key; ${[hint, elsewhere].filter((part) => part !== '').join(' ')}`;
}

/** The key that differs in notation only or by a typing slip, or that begins with what was written. */
function alike(key: string, known: readonly string[], used: ReadonlySet<string>): string | undefined {
  const written = plain(key);
  const same = known.find((name) => plain(name) === written);
  if (same !== undefined || written.length < 2) return same;
  const free = known.filter((name) => !used.has(name));
  if (free.length === 0) return undefined;
  const nearest = closest(written, free.map(plain));
  if (slips(written, nearest) <= (written.length < 5 ? 1 : 2))
    return free.find((name) => plain(name) === nearest);
  const begins = free.filter((name) => written.length >= 3 && plain(name).startsWith(written));
  return begins.length === 1 ? begins[0] : undefined;
}

/** As people write keys of other programs: `stall_ms`, `StallMs`. */
function plain(key: string): string {
  return key.toLowerCase().replace(/[_-]/g, '');
}

/** Number of letters added, left out or changed; two transposed letters count as one slip. */
function slips(written: string, meant: string): number {
  const edits = distance(written, meant);
  const letters = (key: string) => Array.from(key).sort().join('');
  return edits === 2 && letters(written) === letters(meant) ? 1 : edits;
}

const SECTIONS_OF = new Map<string, string[]>();

/** Every object of the file, by the keys it may have. */
function index(node: Node, path: string): void {
  for (const [key, inner] of Object.entries(node.properties ?? {})) {
    SECTIONS_OF.set(key, [...(SECTIONS_OF.get(key) ?? []), path]);
    index(inner, `${path}.${key}`);
  }
  if (node.items !== undefined) index(node.items, `${path}[N]`);
}

/** The places of a key that a user who wrote it in `section` may have meant. */
function placesOf(key: string, section: string): string[] {
  if (SECTIONS_OF.size === 0) index(ActorsFile as unknown as Node, '$');
  return (SECTIONS_OF.get(key) ?? []).filter((place) => place !== section && isRelated(place, section));
}

/** Cameras and servers have keys of the same names: between those, only what is around or within an object is related to it. */
function isRelated(place: string, section: string): boolean {
  const within = (inner: string, outer: string) =>
    inner.startsWith(`${outer}.`) || inner.startsWith(`${outer}[`);
  if (within(place, section) || within(section, place)) return true;
  return isOfCamera(place) === isOfCamera(section);
}

function isOfCamera(place: string): boolean {
  return place.startsWith('$.camera') || place.startsWith('$.actors.camera');
}

function isCamera(section: string): boolean {
  return section === '$.cameras[N]' || section === '$.cameraDefaults';
}

function listed(sections: readonly string[]): string {
  const places = sections.map((section) => (section === '$' ? 'the top level of the file' : section));
  return places.length < 2
    ? (places[0] ?? '')
    : `${places.slice(0, -1).join(', ')} or ${places.at(-1) ?? ''}`;
}
