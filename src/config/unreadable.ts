/** Why a file could not be read, in words. */
import { statSync } from 'node:fs';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a directory',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8 text',
};

/**
 * The reason for what a read threw, and where a right is missing whose the file is; for errors that are not known here only
 * the code, for messages may quote data.
 */
export function whyUnreadable(error: unknown): string {
  const code = codeOf(error);
  const reason = REASONS[code] ?? (code === '' ? 'unknown reason' : code);
  return isFileDenied(error) ? `${reason}${whose((error as { path?: unknown }).path)}` : reason;
}

/** True if another account could read it. */
export function isFileDenied(error: unknown): boolean {
  return REASONS[codeOf(error)] === REASONS['EACCES'];
}

/** `: it belongs to user 0, mode 600, and this process runs as user 1000`; empty where the system does not tell. */
function whose(path: unknown): string {
  if (typeof path !== 'string' || process.getuid === undefined) return '';
  try {
    const { uid, mode } = statSync(path);
    const rights = (mode & 0o777).toString(8).padStart(3, '0');
    return `: it belongs to user ${uid}, mode ${rights}, and this process runs as user ${process.getuid()}`;
  } catch {
    return `, already to its folder, for user ${process.getuid()}`;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
