/** The text of a configuration after an edit: the value is there, and nothing else has changed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse, visit } from 'jsonc-parser';
import { editedText, type Edit } from '../../../../src/config/edit/cameras';
import { NoSuchPlace, withoutValue, withValue } from '../../../../src/config/edit/text';
import { randomOf, rounds } from '../../../../lab/random';

type Random = ReturnType<typeof randomOf>;
interface Style {
  readonly eol: string;
  readonly indent: string;
  readonly comments: number;
  readonly oneLine: number;
}

/** A value as a person might write it: on one line or on several, with comments here and there. */
function written(value: unknown, random: Random, style: Style, base = ''): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const isList = Array.isArray(value);
  const items = Object.entries(value).map(([key, each]) => {
    const name = isList ? '' : `${JSON.stringify(key)}:${random.next() < 0.8 ? ' ' : ''}`;
    return (inner: string) => name + written(each, random, style, inner);
  });
  const [open, close] = isList ? ['[', ']'] : ['{', '}'];
  if (items.length === 0) return open + close;
  if (random.next() < style.oneLine) return `${open} ${items.map((item) => item(base)).join(', ')} ${close}`;
  const inner = base + style.indent;
  const lines = items.map((item, i) => {
    const above =
      random.next() < style.comments ? `${inner}// above ${random.between(1, 1e6)}${style.eol}` : '';
    const beside = random.next() < style.comments ? ` /* beside ${random.between(1, 1e6)}, */` : '';
    const comma = i < items.length - 1 ? ',' : '';
    return `${above}${inner}${item(inner)}${comma}${beside}`;
  });
  return `${open}${style.eol}${lines.join(style.eol)}${style.eol}${base}${close}`;
}

function commentsOf(text: string): string[] {
  const found: string[] = [];
  visit(text, { onComment: (offset, length) => found.push(text.slice(offset, offset + length).trim()) });
  return found;
}

const FILES = rounds(1000);
const SETTINGS = [
  ['rate', 2],
  ['quality', 70],
  ['url', 'rtsp://h/a"b'],
  ['enabled', false],
  ['tls', { verify: true, ca: 'a.pem' }],
  ['note', 'a } ] , // b'],
] as const;

function someSettings(random: Random): Record<string, unknown> {
  return Object.fromEntries<unknown>(SETTINGS.filter(() => random.next() < 0.5));
}

interface Made {
  readonly text: string;
  readonly value: { readonly cameras: readonly Record<string, unknown>[] };
  readonly style: Style;
}

function made(random: Random): Made {
  const cameras = Array.from({ length: random.between(0, 5) }, (_, i) => ({
    id: `c${i}`,
    ...someSettings(random),
  }));
  const value = { namespace: 'n', cameras, log: { level: 'info' } };
  const style = {
    eol: random.pick(['\n', '\r\n']),
    indent: random.pick(['  ', '    ', '\t']),
    comments: random.pick([0, 0.4]),
    oneLine: random.pick([0, 0.3, 1]),
  };
  const mark = random.next() < 0.2 ? '\uFEFF' : '';
  const text = mark + written(value, random, style) + random.pick(['', style.eol]);
  return { text, value, style };
}

function someEdit(random: Random, { cameras }: Made['value']): Edit {
  const camera = `c${random.between(0, cameras.length + 1)}`;
  const isThere = cameras.some(({ id }) => id === camera);
  const kind = isThere ? random.pick(['put', 'patch', 'remove'] as const) : 'put';
  return kind === 'remove' ? { kind, camera } : { kind, camera, settings: someSettings(random) };
}

function expected({ cameras, ...rest }: Made['value'], edit: Edit): unknown {
  if (edit.kind === 'apply') return undefined;
  const at = cameras.findIndex(({ id }) => id === edit.camera);
  if (edit.kind === 'remove') return { ...rest, cameras: cameras.filter((_, i) => i !== at) };
  const before = edit.kind === 'patch' ? cameras[at] : {};
  const after = { ...before, id: edit.camera, ...edit.settings };
  return {
    ...rest,
    cameras: at === -1 ? [...cameras, after] : cameras.map((each, i) => (i === at ? after : each)),
  };
}

describe('an edit of the text of a configuration', () => {
  it(`changes what it must and nothing else, in ${FILES} generated files`, () => {
    const random = randomOf(15);
    for (let i = 0; i < FILES; i++) {
      const before = made(random);
      const edit = someEdit(random, before.value);
      const after = editedText(before.text, before.value, edit);
      const what = `${JSON.stringify(edit)}\n${before.text}\n=>\n${after}`;
      const faults: never[] = [];
      assert.deepEqual(parse(after.replace(/^\uFEFF/, ''), faults), expected(before.value, edit), what);
      assert.deepEqual(faults, [], what);
      assert.equal(after.startsWith('\uFEFF'), before.text.startsWith('\uFEFF'), what);
      assert.equal(/\r\n$|\n$|$/.exec(after)?.[0], /\r\n$|\n$|$/.exec(before.text)?.[0], what);
      if (before.style.eol === '\r\n') assert.doesNotMatch(after, /[^\r]\n/, what);
      else assert.doesNotMatch(after, /\r/, what);
      // Other cameras' text stays, letter by letter, and so does every comment outside of what was taken away.
      for (const { id } of before.value.cameras)
        if (edit.kind !== 'apply' && id !== edit.camera) {
          const text = textOf(before.text, id);
          assert.ok(after.includes(text), what);
        }
      const gone = edit.kind === 'apply' ? '' : textOf(before.text, edit.camera);
      const kept = commentsOf(before.text).filter((comment) => !gone.includes(comment));
      assert.deepEqual(
        kept.filter((comment) => !after.includes(comment)),
        [],
        what,
      );
    }
  });

  it('that is reverted leaves the text as it was', () => {
    const random = randomOf(16);
    for (let i = 0; i < rounds(300); i++) {
      const { text, value } = made(random);
      if (value.cameras.length === 0) continue;
      const added = withValue(text, ['cameras', value.cameras.length], { id: 'x', rate: 1 });
      assert.equal(withoutValue(added, ['cameras', value.cameras.length]), text);
    }
  });

  it('writes in the style of its neighbours', () => {
    const lines = '{\n\t"cameras": [\n\t\t{ "id": "a" }, // first\n\t\t{ "id": "b" } // last\n\t]\n}\n';
    assert.equal(
      withValue(lines, ['cameras', 2], { id: 'c', rate: 1 }),
      lines
        .replace('"b" }', '"b" },')
        .replace('// last\n', '// last\n\t\t{\n\t\t\t"id": "c",\n\t\t\t"rate": 1\n\t\t}\n'),
    );
    assert.equal(
      withValue('{"cameras":[{"id":"a"}]}', ['cameras', 1], { id: 'b' }),
      '{"cameras":[{"id":"a"}, { "id": "b" }]}',
    );
    assert.equal(
      withValue('{ "cameras": [] }', ['cameras', 0], { id: 'b' }),
      '{ "cameras": [{ "id": "b" }] }',
    );
    assert.equal(withValue('{\n  "a": []\n}', ['a', 0], 1), '{\n  "a": [\n    1\n  ]\n}');
    assert.equal(withoutValue('[1, 2, 3]', [1]), '[1, 3]');
    assert.equal(withoutValue('[1, 2, 3]', [2]), '[1, 2]');
    assert.equal(withoutValue('[\n  1\n]', [0]), '[]');
  });

  it('is refused if the place does not exist', () => {
    for (const [text, place] of [
      ['', ['a']],
      ['[]', ['a']],
      ['{"a": 1}', ['a', 'b']],
      ['{"a": []}', ['a', 1]],
    ] as const)
      assert.throws(() => withValue(text, place, 1), NoSuchPlace, text);
    assert.throws(() => withoutValue('{}', ['a']), NoSuchPlace);
  });

  it('puts no prototype into what it writes', () => {
    const settings = JSON.parse('{"__proto__": {"rate": 2}, "test": "testsrc2"}') as Record<string, unknown>;
    const text = editedText('{"cameras": []}', { cameras: [] }, { kind: 'put', camera: 'a', settings });
    assert.ok(text.includes('"__proto__"'), text);
    assert.equal(({} as { rate?: number }).rate, undefined);
  });
});

/** A camera as it is written. */
function textOf(text: string, id: unknown): string {
  const start = text.search(new RegExp(`\\{\\s*(?://[^\\n]*\\n\\s*)?"id":\\s*"${String(id)}"`));
  if (start === -1) return '';
  let depth = 0;
  let end = start;
  visit(text.slice(start), {
    onObjectBegin: () => {
      depth++;
    },
    onObjectEnd: (offset) => {
      if (--depth === 0 && end === start) end = start + offset + 1;
    },
  });
  return text.slice(start, end);
}
