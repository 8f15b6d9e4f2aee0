/** Log records as CSV (RFC 4180). */
import type { LogPage } from '../model/response-schemas.ts';
import { escapeControls } from '../runtime/escape-controls.ts';

type Cell = string | number | null;

const COLUMNS = ['id', 'type', 'peer', 'key', 'ip', 'date', 'status', 'response', 'content', 'trace'] as const;

/** The first line. */
export const CSV_HEAD = `${COLUMNS.join(',')}\r\n`;

/** One record; `content` as JSON. */
export function csvLine(record: LogPage['logs'][number]): string {
  const cells = COLUMNS.map((name) => (name === 'content' ? JSON.stringify(record.content) : record[name]));
  return `${cells.map(cell).join(',')}\r\n`;
}

/** Control characters are escaped, for exports are shown on terminals too. A text that a spreadsheet would take for a formula gets an apostrophe: what peers say must not be run there. */
function cell(value: Cell): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const seen = escapeControls(value);
  const text = /^[=+\-@\t\r\n]/.test(seen) ? `'${seen}` : seen;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
