/** A secret that no encoding changes, in generated URLs and in what programs say of them. */
import { inspect } from 'node:util';
import { secretsOf } from '../src/url/redact';
import { withCredentials } from '../src/url/url';
import { type Random } from './random';

/** No encoding changes it, and no ordinary text contains it. */
export const CANARY = 'C4n4ryQ7';
export const SHOWN = new RegExp(CANARY, 'i');
export const PRINTABLE = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');
/** What passwords have that URLs read otherwise. */
export const MARKS = '@/?#:%&=;,\'"\\<>[]{}|^`!$*()+~ .';

/** A password around the canary. */
export function password(random: Random): string {
  const around = () => random.text(random.pick([MARKS, PRINTABLE]), 0, 5);
  return around() + CANARY + around();
}

/** A URL with a canary in a place where cameras and servers keep secrets, percent-encoded as it has to be. */
export function secretUrl(random: Random): string {
  const host = random.pick(['cam', 'cam:8554', '10.0.0.9', '[2001:db8::1]:554', 'a.b-c.example']);
  const encoded = encodeURIComponent(password(random)).replace(/'/g, '%27');
  const name = random.pick(['pwd', 'password', 'token', 'auth', 'k', 'loginpas', 'sessionId', 'X-Key']);
  return random.pick([
    () => withCredentials(`rtsp://${host}/live`, 'viewer', password(random)),
    () => withCredentials(`https://${host}/live?a=b`, password(random), ''),
    () => `http://${host}/snap?${name}=${encoded}`,
    () => `http://${host}/snap?user=admin&${name}=${encoded}&channel=1`,
    () => `rtsp://${host}/user=admin&${name}=${encoded}&channel=1`,
    () => `rtsp://${host}/user=admin_${name}=${encoded}_channel=1.sdp`,
    () => `rtsp://${host}/stream;${name}%3D${encoded};x=y`,
    () => `rtmp://${host}/live/${encoded}`,
    () => `rtmps://u:${encoded}@${host}/live/inst/${encoded}/`,
    () => `rtmp://${host}/live/x${encoded}?${name}=${encoded}`,
    () => `rtsp://${host}/live#${encoded}`,
  ])();
}

/** What ffmpeg, Node.js and servers write of a URL. */
export function sentence(random: Random, url: string): string {
  const [, scheme = '', rest = ''] = /^([a-z]+):\/\/(.*)$/s.exec(url) ?? [];
  const target = rest.replace(/^[^/]*/, '');
  const secret = random.pick(secretsOf(url).length === 0 ? ['nothing'] : secretsOf(url));
  return random.pick([
    `[concat @ 0x55d0] Impossible to open '${url}'`,
    `[in#0 @ 0x55] Error opening input file ${url}.`,
    `${url}: Input/output error`,
    `[rtmp @ 0x5] Server error: NetStream.Play.StreamNotFound: ${secret} not found`,
    `[rtsp @ 0x5] method DESCRIBE failed for <${url}>, code 599`,
    `[http @ 0x5] request: GET ${target}${target.includes('?') ? '' : `?pwd=${secret}`} HTTP/1.1`,
    `Authorization: Basic ${CANARY}`,
    `[http @ 0x5] header='Authorization: Digest username="u", response="${CANARY}"'`,
    `Set-Cookie: session=${CANARY}; Path=/`,
    `ERR unknown command 'AUTH', with args beginning with: 'vigil' '${CANARY}'`,
    `ReplyError: ${inspect({ command: { name: 'auth', password: secret } })}`,
    `{"password":${JSON.stringify(secret)},"token": "${CANARY}"}`,
    `connect to viewer:${CANARY}@cam failed`,
    `from ${scheme}://viewer:x@cam/ and ${url}, again ${url}`,
    `opened with access_token=${CANARY}&password=${CANARY}.`,
  ]);
}
