/** Keys that are described and checked, but whose feature is still to come. */

/**
 * A key listed here is refused unless it is missing or at its default. When the feature lands its line goes, and with it
 * the refusal, the remark in config.example.yaml and the one in config.schema.json.
 */
export const NOT_YET: readonly NotYet[] = [];

/** One key; no `default` means that only leaving it out is allowed. */
export interface NotYet {
  /** Path in the config; `[]` stands for every entry of a list. */
  readonly path: string;
  readonly default?: unknown;
}

/** What of a config is not supported yet: the path of each such value, and what to say of it. */
export function findNotYet(config: unknown, list: readonly NotYet[] = NOT_YET): { path: string; message: string }[] {
  return list.flatMap((entry) =>
    valuesAt(config, entry.path)
      .filter(({ value }) => value !== undefined && JSON.stringify(value) !== JSON.stringify(entry.default))
      .map(({ path }) => ({ path, message: refusal(entry) })),
  );
}

/** What to say of a key. */
export function refusal(entry: NotYet): string {
  if (entry.default === undefined) return 'not supported yet: leave it out';
  return `not supported yet: for now only ${JSON.stringify(entry.default)}`;
}

/** The entry for a key of the description, if it is in the list. */
export function notYetAt(path: string, list: readonly NotYet[] = NOT_YET): NotYet | undefined {
  return list.find((entry) => entry.path === path);
}

function valuesAt(config: unknown, pattern: string): { path: string; value: unknown }[] {
  let found = [{ path: '', value: config }];
  for (const step of pattern.split('.')) {
    const name = step.replace('[]', '');
    found = found.map(({ path, value }) => ({
      path: path === '' ? name : `${path}.${name}`,
      value: member(value, name),
    }));
    if (name === step) continue;
    found = found.flatMap(({ path, value }) =>
      Array.isArray(value) ? value.map((item: unknown, index) => ({ path: `${path}[${index}]`, value: item })) : [],
    );
  }
  return found;
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
