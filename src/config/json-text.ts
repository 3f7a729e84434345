/** Parses the text of a configuration, JSON with comments, and reports every fault. Pure. */
import { createScanner, parse, ParseErrorCode, ScanError, SyntaxKind, type ParseError } from 'jsonc-parser';
import { excess, placeOf } from './bounds';
import { duplicateKeys } from './duplicate-keys';
import type { ConfigFault } from './faults';

export type JsonText =
  | { readonly value: unknown; readonly faults: readonly ConfigFault[] }
  /** Its contents could not be determined. */
  | { readonly faults: readonly ConfigFault[]; readonly cause?: unknown };

/** Comments are allowed and left out. Trailing commas are faults, but the text around them is read nevertheless. */
export function readJson(text: string): JsonText {
  const tooMuch = excess(text);
  if (tooMuch !== undefined) return { faults: [tooMuch] };
  const json = text.replace(/^\uFEFF/, '');
  const value = parsed(json);
  if ('value' in value) return { ...value, faults: duplicateKeys(json) };
  const { plain, faults } = withoutExtras(json);
  const rest = parsed(plain);
  if ('value' in rest) return { ...rest, faults: [...faults, ...duplicateKeys(plain)] };
  return { faults: [...faults, syntaxFault(plain)], cause: rest.cause };
}

function parsed(json: string): { value: unknown } | { cause: unknown } {
  try {
    return { value: JSON.parse(json) as unknown };
  } catch (cause) {
    return { cause };
  }
}

/** The text with blanks in place of its comments and trailing commas. */
function withoutExtras(json: string): { plain: string; faults: ConfigFault[] } {
  const extras: { at: number; length: number; fault?: ConfigFault }[] = [];
  let [before, beforeAt]: [SyntaxKind, number] = [SyntaxKind.Unknown, 0];
  for (const [kind, at, length] of tokens(json)) {
    if (kind === SyntaxKind.LineCommentTrivia || kind === SyntaxKind.BlockCommentTrivia) {
      extras.push({ at, length });
      continue;
    }
    const closes = kind === SyntaxKind.CloseBraceToken || kind === SyntaxKind.CloseBracketToken;
    if (closes && before === SyntaxKind.CommaToken) {
      const place = placeOf(json, beforeAt);
      const problem = `is not JSON: a trailing comma at ${place}; JSON has no comma before } or ]: remove it`;
      extras.push({ at: beforeAt, length: 1, fault: { path: '$', problem } });
    }
    [before, beforeAt] = [kind, at];
  }
  const sorted = extras.sort((one, other) => one.at - other.at);
  let end = 0;
  const pieces = sorted.flatMap(({ at, length }) => {
    const kept = json.slice(end, at);
    end = at + length;
    return [kept, json.slice(at, end).replace(/[^\r\n]/g, ' ')];
  });
  return { plain: pieces.join('') + json.slice(end), faults: sorted.flatMap(({ fault }) => fault ?? []) };
}

/** Kind, offset and length of each token; blanks, line ends and an unclosed comment are left out. */
function* tokens(json: string): Generator<readonly [SyntaxKind, number, number]> {
  const scanner = createScanner(json, false);
  for (let kind = scanner.scan(); kind !== SyntaxKind.EOF; kind = scanner.scan())
    if (
      kind !== SyntaxKind.Trivia &&
      kind !== SyntaxKind.LineBreakTrivia &&
      scanner.getTokenError() !== ScanError.UnexpectedEndOfComment
    )
      yield [kind, scanner.getTokenOffset(), scanner.getTokenLength()];
}

/** V8 gives the position of only some faults. */
function syntaxFault(json: string): ConfigFault {
  const faults: ParseError[] = [];
  parse(json, faults);
  const [fault] = faults;
  const what = fault === undefined ? 'a fault' : (SENTENCES[fault.error] ?? 'a fault');
  return { path: '$', problem: `is not JSON: ${what} at ${placeOf(json, fault?.offset ?? 0)}` };
}

const SENTENCES: Partial<Record<ParseErrorCode, string>> = {
  [ParseErrorCode.InvalidSymbol]: 'found something that is not a value (text must be in double quotes)',
  [ParseErrorCode.InvalidNumberFormat]: 'found an invalid number',
  [ParseErrorCode.PropertyNameExpected]: 'expected a key in double quotes',
  [ParseErrorCode.ValueExpected]: 'expected a value',
  [ParseErrorCode.ColonExpected]: 'expected a colon after the key',
  [ParseErrorCode.CommaExpected]: 'expected a comma',
  [ParseErrorCode.CloseBraceExpected]: 'expected }',
  [ParseErrorCode.CloseBracketExpected]: 'expected ]',
  [ParseErrorCode.EndOfFileExpected]: 'expected the end of the file',
  [ParseErrorCode.UnexpectedEndOfComment]: 'a comment is not closed',
  [ParseErrorCode.UnexpectedEndOfString]: 'a text is not closed by a double quote in its line',
  [ParseErrorCode.UnexpectedEndOfNumber]: 'found an incomplete number',
  [ParseErrorCode.InvalidUnicode]: 'found an invalid \\u escape',
  [ParseErrorCode.InvalidEscapeCharacter]: 'found an invalid escape (a backslash is written \\\\)',
  [ParseErrorCode.InvalidCharacter]: 'found a control character in a text (a tab is written \\t)',
};
