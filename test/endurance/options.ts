/** The options of the long tests: whole numbers by name. */
import { parseArgs } from 'node:util';

/**
 * What the command line says, else the defaults. Whatever is not a whole number above zero, or not known, ends the
 * program with 2 and a line that says how it is called.
 */
export function readNumbers<Name extends string>(
  script: string,
  defaults: Readonly<Record<Name, number>>,
): Record<Name, number> {
  const names = Object.keys(defaults) as Name[];
  const usage = (why: string): never => {
    const options = names.map((name) => `[--${name} N]`).join(' ');
    process.stderr.write(`${why}\nusage: npm run ${script} -- ${options}\n`);
    process.exit(2);
  };
  try {
    const { values } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) });
    const numberOf = (name: Name): number => {
      const value = Number(values[name] ?? defaults[name]);
      return Number.isInteger(value) && value > 0 ? value : usage(`--${name} is a whole number above zero.`);
    };
    return Object.fromEntries(names.map((name) => [name, numberOf(name)])) as Record<Name, number>;
  } catch (error) {
    return usage(error instanceof Error ? (error.message.split('.')[0] ?? '') : String(error));
  }
}
