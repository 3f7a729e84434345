/** Generated URLs of cameras and servers, valid and not. */
import { type Random } from '../random';

const HOSTS = [
  'cam',
  '10.0.0.7',
  '[2001:db8::1]',
  'kamera-ä.lan',
  'a,b',
  'a,,b',
  'a b',
  'a"b',
  'a$b',
  '',
  '[fe80::1%25eth0]',
  '[zz',
  'h%41',
  'ca_m',
];
const USERS = ['', 'u@', 'u:p%40@', 'u:p@w@', ':p@', 'u,v:p@', 'a@b,c@', 'u:100%@', 'u:p/q@', 'u:p p@', '@'];
const PORTS = ['', ':554', ':', ':0', ':65535', ':65536', ':99999', ':x', ':00080'];
const RESTS = [
  '',
  '/',
  '/0',
  '/3',
  '/123456',
  '/abc',
  '/a/b',
  '/live?x=1',
  '?db=2',
  '/0?db=x',
  '/v?heartbeat=5',
  '/v?heartbeat=x',
  '#f',
  '/a@b',
  '/a b',
  '/%2F',
  '/%',
  '/a\n',
  '/\u0085',
  '/…',
];
const SCHEMES = [
  'rtsp',
  'rtsps',
  'http',
  'HTTPS',
  'rtmp',
  'rtmps',
  'amqp',
  'amqps',
  'redis',
  'Rediss',
  'redis-sentinel',
  'redis-cluster',
  'rediss-cluster',
  'ftp',
  'file',
  'pipe',
];

/** Mostly plain, so that some are valid. */
export function url(random: Random, schemes: readonly string[]): string {
  const mostly = (usual: string, others: readonly string[]) =>
    random.next() < 0.8 ? usual : random.pick(others);
  const scheme = mostly(random.pick(schemes), SCHEMES);
  const text = `${scheme}://${mostly('', USERS)}${mostly('cam', HOSTS)}${mostly('', PORTS)}${mostly('', RESTS)}`;
  return random.next() < 0.03
    ? random.pick(['', 'cam', 'rtsp:cam', 'rtsp:/cam', 'embedded', '/a.mp4', ' rtsp://cam'])
    : text;
}
