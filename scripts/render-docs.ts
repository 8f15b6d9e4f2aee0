/** `npm run render:docs`: writes the pages of docs/ that are made from the program. A test compares. */
import { writeFileSync } from 'node:fs';
import { keysThatNeedRestart } from '../src/config/restart.ts';
import { alternatives, configSchema, hasTwin, isRequired, type SchemaNode } from '../src/config/schema.ts';
import { ERRORS } from '../src/model/errors.ts';
import { METRICS, type MetricDescription } from '../src/metrics/metric-names.ts';

const ALTERNATIVES = new Intl.ListFormat('en', { type: 'disjunction' });
const MADE = '<!-- Written by "npm run render:docs". -->';

/** docs/metrics.md */
export function renderMetrics(): string {
  const rows = Object.entries<MetricDescription>(METRICS).map(
    ([name, { type, labels, help }]) => `| \`${name}\` | ${type} | ${labels.map(code).join(' ')} | ${help}. |`,
  );
  return `# Metrics

${MADE}

\`GET /metrics\` tells these in the text format of Prometheus, to the admin token, or to everybody with
\`http.open_metrics: true\`. Labels hold names of peers, and nothing of persons. Counters begin at 0 when the daemon starts.
Gauges are read from the database when somebody asks; while it is away they are absent, and \`account_sync_health\` says so.
\`process_*\` and \`nodejs_*\` tell memory, processor, event loop and garbage collection of the process; the event loop is
looked at every 100 ms, which \`nodejs_eventloop_lag_p99_seconds\` and its like include. Of these \`promtool check metrics\` dislikes
three, \`nodejs_active_resources_total\`, \`nodejs_active_handles_total\` and \`nodejs_active_requests_total\`: gauges that end like
counters. prom-client calls them so, and many dashboards know them by these names.

[deploy/alerts.yaml](../deploy/alerts.yaml) has rules for what a person should know,
[deploy/grafana-dashboard.json](../deploy/grafana-dashboard.json) shows all at a glance, and
[deploy/prometheus.yaml](../deploy/prometheus.yaml) is what Prometheus needs to ask.

| metric | type | labels | meaning |
|---|---|---|---|
${rows.join('\n')}
`;
}

/** docs/config.md */
export function renderConfig(): string {
  return `# Config

${MADE}

[config.example.yaml](../config.example.yaml) is the same as a file to begin with, and
[config.schema.json](../config.schema.json) lets editors complete and check it. In every text \`\${NAME}\` is replaced from the
environment; every secret has a \`_file\` twin. Durations are \`500ms 5s 10m 6h 30d\`, sizes \`64KiB 8MiB\`. The file is checked as a whole, and
every problem is printed as \`config.yaml:12:10 peers[0].url: expected an http(s) URL (got "nope")\`.

**Edits while the daemon runs** are picked up within five seconds, or at once on SIGHUP, and so are changes of files that \`_file\`
keys name. An edit is taken over whole: peers come, change and go, and nothing is lost or sent twice on the way to the others.
Entries for a peer that was taken out stay and go out should it come back; what changes while it is out is not sent (\`feed\`
brings it). An edit with a problem, or one of ${ALTERNATIVES.format(keysThatNeedRestart().map(code))}, which need
a restart, is refused whole: the config before stays in force, and \`/health\`, the daemon's log and \`account-sync status\` say so.
Environment variables are those the daemon was started with.

**To change a key without a gap**, give every peer both: \`api_key: [OLD_KEY, NEW_KEY]\` in its entry for the site; then put the new
one into \`site.api_key\` of the site; then take the old one away from the peers.

| key | default | meaning |
|---|---|---|
${rowsOf(configSchema, '').join('\n')}
`;
}

/** docs/error-codes.md */
export function renderErrorCodes(): string {
  const rows = Object.entries(ERRORS).map(
    ([name, { meaning, remedy, reaction }]) => `| ${code(name)} | ${meaning} | ${remedy} | ${reaction} |`,
  );
  return `# Error codes

${MADE}

Codes stand in answers, log records, lists and messages. \`account-sync logs --search CODE\` shows who it happened to. The last column is
what the daemon does: \`retry\` (it tries again by itself), \`park\` (the user is put aside for a person, the others go on), \`report\` (it is
noted, nothing else), \`refuse\` (the request or command is not carried out), \`stop\` (the daemon ends).

| code | meaning | what to do | the daemon |
|---|---|---|---|
${rows.join('\n')}
`;
}

function rowsOf(schema: SchemaNode, path: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const key = path === '' ? name : `${path}.${name}`;
    const below = alternatives(child).find(({ type }) => type === 'object');
    const item = child.items;
    if (child.type === 'object') return rowsOf(child, key);
    const own = `| ${code(key)} | ${defaultOf(child, isRequired(schema, name))} | ${meaningOf(child, name)} |`;
    return [
      own,
      ...(below === undefined ? [] : rowsOf(below, key)),
      ...(item?.properties ? rowsOf(item, `${key}[]`) : []),
    ];
  });
}

function defaultOf(schema: SchemaNode, required: boolean): string {
  if ('default' in schema)
    return code(typeof schema.default === 'string' ? schema.default : JSON.stringify(schema.default));
  return required ? 'required' : 'none';
}

function meaningOf(schema: SchemaNode, name: string): string {
  const words = schema.enum === undefined ? '' : ` One of ${schema.enum.map((word) => code(String(word))).join(', ')}.`;
  const twin = alternatives(schema).some(hasTwin) ? ` Or ${code(`${name}_file`)}: a file that holds it.` : '';
  return `${(schema.description ?? '').replaceAll('|', '\\\\|')}${words}${twin}`;
}

function code(text: string): string {
  return `\`${text}\``;
}

/** The pages by name. */
export const PAGES: Readonly<Record<string, () => string>> = {
  'metrics.md': renderMetrics,
  'config.md': renderConfig,
  'error-codes.md': renderErrorCodes,
};

if (import.meta.main) {
  for (const [name, render] of Object.entries(PAGES))
    writeFileSync(new URL(`../docs/${name}`, import.meta.url), render());
}
