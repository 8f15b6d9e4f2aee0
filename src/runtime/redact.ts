/** Takes secrets out of what is about to be logged: the last line of defence, not the first. */

const HIDDEN = '[redacted]';
const MAX_DEPTH = 8;

/** Field names that hold a secret, whatever the case and with `-` or `_` or neither between the words. */
const SECRET_NAMES: readonly RegExp[] = [
  /^(?:asc|site|peer|our|their)?api_?keys?$/i,
  /^(?:admin_?|access_?|auth_?|bearer_?)?tokens?$/i,
  /^(?:s_?|db_?|database_?|old_?|new_?)?pass(?:word|wd|phrase)?s?$/i,
  /^s_?pass_?code$/i,
  /^(?:s_?|client_?)?secrets?$/i,
  /^(?:proxy_?)?authorization$/i,
  /^(?:set_?)?cookie$/i,
  /^x_?api_?key$/i,
  /^private_?key$/i,
  /^credentials?$/i,
];

/** Secrets inside a text: authorization values, form fields and query parameters, passwords in URLs. */
const SECRET_TEXT: readonly (readonly [RegExp, string])[] = [
  [/\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=-]{6,}/gi, `$1$2${HIDDEN}`],
  [/\b((?:asc)?api_?key|token|password|s_password|s_secret)(=|%3D)[^&\s"']+/gi, `$1$2${HIDDEN}`],
  [/(\/\/[^/\s:@]*:)[^/\s@]+@/g, `$1${HIDDEN}@`],
  [/\$2[abxy]\$\d\d\$[./A-Za-z0-9]{10,}/g, HIDDEN],
];

/** True if a field of this name is not to be shown. */
function isSecretName(name: string): boolean {
  const plain = name.replaceAll('-', '_');
  return SECRET_NAMES.some((pattern) => pattern.test(plain));
}

/** The text without what looks like a secret in it. */
export function redactText(text: string): string {
  let clean = text;
  for (const [pattern, replacement] of SECRET_TEXT) clean = clean.replace(pattern, replacement);
  return clean;
}

/**
 * A copy of `value` fit for a log: secret fields hidden at any depth, secrets in texts hidden, errors reduced to what
 * says something, bytes to their number, cycles and great depth cut.
 */
export function redact(value: unknown, seen: readonly unknown[] = []): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (seen.includes(value)) return '[circular]';
  if (seen.length >= MAX_DEPTH) return '[deep]';
  const inside = [...seen, value];
  if (value instanceof Error) return redactError(value, inside);
  if (value instanceof Date) return value;
  if (value instanceof Uint8Array) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.map((item) => redact(item, inside));
  if (value instanceof Map || value instanceof Set) return redact([...value], inside);
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      isSecretName(name) && item !== null && item !== undefined ? HIDDEN : redact(item, inside),
    ]),
  );
}

/** Not the error's own fields: drivers keep the statement there, with all its values. */
function redactError(error: Error, inside: readonly unknown[]): Record<string, unknown> {
  const { code, errno } = error as { code?: unknown; errno?: unknown };
  return {
    type: error.name,
    message: redactText(error.message),
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof errno === 'number' ? { errno } : {}),
    stack: redactText(error.stack ?? ''),
    ...(error.cause === undefined ? {} : { cause: redact(error.cause, inside) }),
  };
}
