/** Checks of lists of columns. */
import { DESCRIPTION, NEVER_TRAVELS } from '../model/register.ts';
import type { Finding } from './finding.ts';
import type { Draft, RawConfig } from './schema.ts';

const NEVER: ReadonlySet<string> = new Set(NEVER_TRAVELS);

/** Columns that never travel, whatever the config says, and words that are no columns. */
export function checkColumns(config: Draft<RawConfig>): Finding[] {
  const lists: [string, unknown][] = [['columns.custom', config.columns?.custom]];
  for (const [index, peer] of (config.peers ?? []).entries()) {
    lists.push([`peers[${index}].columns`, peer?.columns], [`peers[${index}].send_columns`, peer?.send_columns]);
  }
  return lists.flatMap(([path, list]) => {
    if (!Array.isArray(list)) return [];
    return list.flatMap((column: unknown, index) => {
      const message = typeof column === 'string' ? refusal(column) : undefined;
      return message === undefined ? [] : [{ path: `${path}[${index}]`, message }];
    });
  });
}

/** Register groups of related tables that share a name with each other or with the descriptions. */
export function checkGroups(config: Draft<RawConfig>): Finding[] {
  const first = new Map([[DESCRIPTION, 'that of the descriptions']]);
  return (config.related_tables ?? []).flatMap((table, index) => {
    const path = `related_tables[${index}].as`;
    if (table?.as === undefined) return [];
    const before = first.get(table.as);
    first.set(table.as, before ?? `that of related_tables[${index}]`);
    return before === undefined ? [] : [{ path, message: `expected a name other than ${before}` }];
  });
}

function refusal(column: string): string | undefined {
  if (NEVER.has(column.toLowerCase())) return `this column never travels (got "${column}")`;
  if (column !== 'default' && column !== 'all') return undefined;
  return `expected the name of a column: "${column}" stands alone, not in a list`;
}
