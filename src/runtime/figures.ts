/** Figures and tables as people read them. */
import { escapeOnOneLine } from './escape-controls.ts';

/** Rows in columns, the first row being the head; numbers to the right. What is in a cell stays in it. */
export function formatTable(rows: readonly (readonly (string | number)[])[]): string {
  const texts = rows.map((row) => row.map((value) => escapeOnOneLine(String(value))));
  const widths = (texts[0] ?? []).map((_, column) => Math.max(...texts.map((row) => (row[column] ?? '').length)));
  const isNumeric = (column: number): boolean => rows.slice(1).every((row) => typeof row[column] === 'number');
  const cell = (text: string, column: number): string =>
    isNumeric(column) ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0);
  return texts.map((row) => row.map(cell).join('  ').trimEnd()).join('\n');
}

/** `3 s`, `5 min`, `2 h`, `4 d`. */
export function formatDuration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 129_600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}

/** `1 user`, `2 users`. */
export function formatCount(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
