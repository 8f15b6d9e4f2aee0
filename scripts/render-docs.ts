/** `npm run render:docs`: writes the pages of docs/ that are made from the program. A test compares. */
import { writeFileSync } from 'node:fs';
import { alternatives, configSchema, hasTwin, isRequired, type SchemaNode } from '../src/config/schema.ts';
import { METRICS, type MetricDescription } from '../src/ops/metric-names.ts';

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
environment. Durations are \`500ms 5s 10m 6h 30d\`, sizes \`64KiB 8MiB\`. An edit is taken over within 5 s, or refused whole;
\`site.name\`, \`database.*\`, \`http.host\`, \`http.port\` and \`http.base_path\` need a restart.

| key | default | meaning |
|---|---|---|
${rowsOf(configSchema, '').join('\n')}
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
export const PAGES: Readonly<Record<string, () => string>> = { 'metrics.md': renderMetrics, 'config.md': renderConfig };

if (import.meta.main) {
  for (const [name, render] of Object.entries(PAGES))
    writeFileSync(new URL(`../docs/${name}`, import.meta.url), render());
}
