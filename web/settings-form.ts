/** A camera's settings as a form: fields for the main ones, JSON for the others. Pure. */

export const SOURCES = ['url', 'still', 'test', 'file'] as const;
export type Source = (typeof SOURCES)[number];
export type Settings = Readonly<Record<string, unknown>>;

export interface Draft {
  readonly id: string;
  readonly source: Source;
  readonly address: string;
  /** Empty: as it is stored. */
  readonly username: string;
  readonly password: string;
  /** Empty: the default. */
  readonly rate: string;
  /** Everything else, as JSON. */
  readonly others: string;
}

export const EMPTY: Draft = {
  ...{ id: '', source: 'url', address: '', username: '', password: '', rate: '', others: '' },
};

export function draftOf(settings: Settings): Draft {
  const { id, rate, ...rest } = settings;
  const source = SOURCES.find((key) => key in rest) ?? 'url';
  const { [source]: address, ...others } = rest;
  return {
    ...EMPTY,
    id: textOf(id),
    source,
    address: textOf(address),
    rate: textOf(rate),
    others: Object.keys(others).length === 0 ? '' : JSON.stringify(others, null, 2),
  };
}

/** @throws Error that says what is wrong, for people */
export function settingsOf({ source, address, username, password, rate, others }: Draft): Settings {
  if (address.trim() === '') throw new Error('Enter where the pictures come from.');
  return {
    [source]: address.trim(),
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    ...(rate.trim() === '' ? {} : { rate: Number.isNaN(Number(rate)) ? rate : Number(rate) }),
    ...objectOf(others),
  };
}

function objectOf(text: string): Settings {
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('Other settings are not JSON. Write them as {"name": value, ...}.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('Other settings have to be a JSON object: {"name": value, ...}.');
  return value as Settings;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}
