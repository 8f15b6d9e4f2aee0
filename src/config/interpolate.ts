/** `${NAME}` in strings of the config. */

/** A string with what it names replaced, or why that cannot be. */
export type Interpolated =
  | { readonly ok: true; readonly text: string; readonly replaced: boolean }
  | { readonly ok: false; readonly message: string };

const MARK = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{/g;

/**
 * Replaces `${NAME}` by the variable of that name, once: what comes from the environment is taken as it is. `$${` stands
 * for a plain `${`. Unset variables and anything else after `${` are errors; messages name variables, never values.
 */
export function interpolate(text: string, env: Readonly<Record<string, string | undefined>>): Interpolated {
  const unset = new Set<string>();
  let malformed = false;
  let replaced = false;
  const result = text.replace(MARK, (mark: string, name: string | undefined) => {
    if (mark === '$${') return '${';
    if (name === undefined) {
      malformed = true;
      return '';
    }
    replaced = true;
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    if (value === undefined) unset.add(`\${${name}}`);
    return value ?? '';
  });
  if (malformed) return { ok: false, message: 'only ${NAME} is understood; write $${ for a plain ${' };
  if (unset.size === 0) return { ok: true, text: result, replaced };
  const verb = unset.size === 1 ? 'is' : 'are';
  return { ok: false, message: `${[...unset].join(' and ')} ${verb} not set in the environment` };
}
