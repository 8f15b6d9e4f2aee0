/** Reads the text that Prometheus reads, and refuses what Prometheus would refuse. */

/** One line of values. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Everything that one scrape tells. */
export interface Scrape {
  readonly samples: readonly Sample[];
  /** `counter`, `gauge` or `histogram` by name of the metric. */
  readonly types: ReadonlyMap<string, string>;
  readonly help: ReadonlyMap<string, string>;
  /** The value of the one sample of this name and exactly these labels; undefined if there is none. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
  /** The sum over all samples of this name that have these labels among others. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number;
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/gy;

/** Throws on a line that is no line of the format, on a sample without a type, and on a sample told twice. */
export function readScrape(text: string): Scrape {
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  const help = new Map<string, string>();
  const seen = new Set<string>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, kind, about = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (kind === 'TYPE') types.set(about, rest);
    else if (kind === 'HELP') help.set(about, rest);
    else {
      const sample = sampleOf(line);
      const key = keyOf(sample);
      const base = sample.name.replace(/_(?:bucket|sum|count)$/, '');
      if (!types.has(sample.name) && types.get(base) !== 'histogram') throw new Error(`no type: ${line}`);
      if (seen.has(key)) throw new Error(`told twice: ${line}`);
      seen.add(key);
      samples.push(sample);
    }
  }
  return {
    samples,
    types,
    help,
    value: (name, labels = {}) => samples.find((sample) => keyOf(sample) === keyOf({ name, labels, value: 0 }))?.value,
    sum: (name, labels = {}) =>
      samples
        .filter((sample) => sample.name === name && includes(sample.labels, labels))
        .reduce((total, { value }) => total + value, 0),
  };
}

function sampleOf(line: string): Sample {
  const [, name = '', inside = '', number = ''] = SAMPLE.exec(line) ?? [];
  const pairs = [...inside.matchAll(LABEL)];
  const value = /^nan$/i.test(number) ? NaN : Number(number.replace(/Inf$/, 'Infinity'));
  const isNumber = !Number.isNaN(value) || /^nan$/i.test(number);
  if (name === '' || pairs.map(([pair]) => pair).join('') !== inside || !isNumber) {
    throw new Error(`not of the format: ${line}`);
  }
  return { name, labels: Object.fromEntries(pairs.map(([, label = '', text = '']) => [label, text])), value };
}

function keyOf({ name, labels }: Sample): string {
  return JSON.stringify([name, Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))]);
}

function includes(all: Readonly<Record<string, string>>, some: Readonly<Record<string, string>>): boolean {
  return Object.entries(some).every(([name, value]) => all[name] === value);
}
