/** Pictures of simulated cameras: a drawn place, the camera's name, and a number that distinguishes each picture from the next. */
import sharp from 'sharp';

const WIDTH = 1280;
const HEIGHT = 720;
const PLACES = [street, corridor, containers, fence];
/** Hues of stone, grass, evening and steel. */
const HUES = [28, 95, 205, 220, 40, 190];

/** @param number drawn into the picture; a figure walks on with it */
export async function scene(id: string, number: number, width: number): Promise<Buffer> {
  return sharp(Buffer.from(drawing(id, number)))
    .resize({ width })
    .jpeg({ quality: 72 })
    .toBuffer();
}

function drawing(id: string, number: number): string {
  const seed = Array.from(id).reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 9973, 7);
  const hue = HUES[seed % HUES.length] ?? 0;
  const place = PLACES[seed % PLACES.length] ?? street;
  const x = 140 + ((number * 23 + seed * 13) % (WIDTH - 280));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}">
    <defs>
      <linearGradient id="sky" x1="0" y1="0" x2="0" y2="1">
        <stop offset="0" stop-color="hsl(${hue},20%,40%)"/><stop offset="1" stop-color="hsl(${hue + 20},22%,74%)"/>
      </linearGradient>
      <radialGradient id="rim" r=".8"><stop offset=".55" stop-opacity="0"/><stop offset="1" stop-opacity=".55"/></radialGradient>
    </defs>
    <rect width="${WIDTH}" height="${HEIGHT}" fill="url(#sky)"/>
    ${place(hue, seed)}
    <g transform="translate(${x} 470) scale(.8)" fill="hsl(${hue},18%,13%)">
      <circle r="16"/><path d="M-17 90l4-64q13-14 26 0l4 64-9 90h-16z"/><ellipse cy="182" rx="34" ry="7" opacity=".4"/>
    </g>
    <rect width="${WIDTH}" height="${HEIGHT}" fill="url(#rim)"/>
    <g font-family="DejaVu Sans Mono, monospace" font-size="34" fill="#fff" opacity=".92">
      <text x="28" y="52">${id}</text><text x="${WIDTH - 28}" y="52" text-anchor="end">#${number}</text>
    </g>
  </svg>`;
}

const each = (count: number, draw: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => draw(i)).join('');

function street(hue: number, seed: number): string {
  const houses = each(9, (i) => {
    const height = 90 + ((seed * (i + 3) * 17) % 220);
    return `<rect x="${i * 150 - 20}" y="${440 - height}" width="${110 + ((seed * i) % 60)}" height="${height}"
      fill="hsl(${hue + 12},14%,${30 + ((i * 7 + seed) % 18)}%)"/>`;
  });
  return `${houses}<path d="M0 440h${WIDTH}v280H0z" fill="hsl(${hue + 40},10%,32%)"/>
    <path d="M540 440h200l420 280H120z" fill="hsl(${hue},5%,42%)"/>
    <path d="M636 450h8l10 60h-28zM622 540h36l14 80h-64zM600 650h80l14 70H586z" fill="#e9e4d4" opacity=".7"/>`;
}

function corridor(hue: number): string {
  const doors = each(3, (i) => {
    const x = 60 + i * 125;
    return `<path d="M${x} ${300 - i * 12}l80 20v${300 - i * 62}l-80 ${40 - i * 6}z" fill="hsl(${hue},14%,${20 + i * 3}%)"/>`;
  });
  return `<path d="M0 0h${WIDTH}L840 190H440z" fill="hsl(${hue},10%,62%)"/>
    <path d="M600 0h80l-20 190h-40z" fill="#fffbe8" opacity=".9"/>
    <path d="M0 0l440 190v270L0 720z" fill="hsl(${hue},14%,36%)"/>
    <path d="M${WIDTH} 0L840 190v270l440 260z" fill="hsl(${hue},14%,30%)"/>
    <path d="M440 190h400v270H440z" fill="hsl(${hue},16%,50%)"/>
    <path d="M440 460h400l440 260H0z" fill="hsl(${hue + 20},9%,24%)"/>
    <path d="M560 270h160v190H560z" fill="hsl(${hue},18%,34%)"/>${doors}`;
}

function containers(hue: number, seed: number): string {
  const stack = each(12, (i) => {
    const [x, y] = [(i % 6) * 215 - 10, i < 6 ? 330 : 220 + ((seed + i) % 3) * 4];
    const tone = HUES[(seed + i * 5) % HUES.length] ?? hue;
    const ribs = each(
      9,
      (rib) =>
        `<path d="M${x + 16 + rib * 22} ${y + 8}v94" stroke="#000" stroke-opacity=".18" stroke-width="6"/>`,
    );
    return (seed >> i) % 4 === 0 && i >= 6
      ? ''
      : `<rect x="${x}" y="${y}" width="208" height="110" fill="hsl(${tone},32%,${34 + (i % 3) * 6}%)"/>${ribs}`;
  });
  return `${stack}<path d="M0 440h${WIDTH}v280H0z" fill="hsl(${hue},6%,34%)"/>
    <path d="M0 560h${WIDTH}" stroke="#e2c04a" stroke-width="10" stroke-dasharray="80 60" opacity=".6"/>`;
}

function fence(hue: number): string {
  const bars = each(33, (i) => `<path d="M${i * 40} 250v250" stroke="hsl(${hue},8%,20%)" stroke-width="7"/>`);
  return `<path d="M0 330q320-90 640-20t640-30v200H0z" fill="hsl(100,12%,28%)"/>
    <path d="M0 470h${WIDTH}v250H0z" fill="hsl(${hue + 30},9%,38%)"/>
    ${bars}<path d="M0 268h${WIDTH}M0 480h${WIDTH}" stroke="hsl(${hue},8%,18%)" stroke-width="10"/>
    <path d="M470 230h28v290h-28zM790 230h28v290h-28z" fill="hsl(${hue},6%,16%)"/>
    <path d="M480 520h330l90 200H380z" fill="hsl(${hue},5%,46%)"/>`;
}
