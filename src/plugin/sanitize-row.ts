/** Rows of plugin peers as this site's forms would store them. Pure. */
import { descriptionRegister } from '../model/register.ts';
import { asForm } from '../osclass/form-text.ts';
import type { PluginRow } from './row.ts';

/** Nobody is without these: where nothing is left of one, it is as if it had not been sent. */
const NEVER_EMPTY: ReadonlySet<string> = new Set(['s_name', 's_username']);

/**
 * The row, cleaned; what the peer has stays beside it, for by that it is told what it had: it says the same again with every
 * row, which then is no change.
 */
export function sanitizedRow(row: PluginRow): PluginRow {
  const columns = new Map(row.columns);
  const descriptions = new Map(row.descriptions);
  const theirs = new Map(row.theirs);
  for (const [name, text] of row.columns) {
    const clean = asForm(name, text);
    if (clean === text) continue;
    if (clean === '' && NEVER_EMPTY.has(name)) columns.delete(name);
    else columns.set(name, clean);
    theirs.set(name, text);
  }
  for (const [locale, text] of row.descriptions) {
    const clean = asForm('s_info', text);
    if (clean === text) continue;
    descriptions.set(locale, clean);
    theirs.set(descriptionRegister(locale), text);
  }
  return { ...row, columns, descriptions, theirs };
}
