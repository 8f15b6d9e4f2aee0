/** docs/reliability.md, from what came of the rows. Pure. */
import type { Outcome } from './row.ts';

/** The run that a page tells of. */
export interface PlayedRun {
  readonly seed: number;
  /** As it names itself. */
  readonly server: string;
  /** Of the program. */
  readonly commit: string;
}

/** The page. */
export function reliabilityPage(outcomes: readonly Outcome[], { seed, server, commit }: PlayedRun): string {
  const good = outcomes.filter(({ flaws }) => flaws.length === 0).length;
  const told = outcomes.filter(({ impossible }) => impossible !== undefined);
  return `# Reliability

Written by \`npm run test:faults -- --seed ${seed}\` on ${server}, at commit \`${commit}\`: ${good} of ${outcomes.length} rows as they should be.

In each row two sites are kept the same by their daemons, and one of them is in use: visitors edit, view, register and delete
all the while. Then something happens. No statement of the visitors may fail or take more than 1.2 s, the daemon must say
what is wrong within a cycle (a second for what it meets, 30 s for what it has to look for), and after it was repaired, by the
daemon itself or by a person who does what it said, the sites must be equal (*not compared*: the row changes what there is to compare).

| what happens | statements | errors | slowest | noticed after | what it said | outcome |
|---|---|---|---|---|---|---|
${outcomes.map(line).join('\n')}

## Where a server makes it impossible

${told.map(({ name, impossible }) => `* **${name}**: ${impossible}`).join('\n')}

## What is known not to hold yet

* **A statement that looks for its row by address** (\`UPDATE … WHERE s_email = …\`, which Osclass itself does not do) locks the index of
  addresses before the row. If the daemon stores new users at the same moment, one of the two may be the victim of a deadlock (1213).

## What is not played

* Restart of the server itself, the read-only switch and failover to another node are played on servers of their own: see
  [scaling](scaling.md#what-was-tested).
* **A disk that is full** is not: a test cannot fill one. *queue table full* stands for it: the server refuses the INSERT of the
  trigger in the same way.
* **A queue marked as crashed**: its tables are InnoDB, of which servers mark none as crashed; *queue table broken* stands for it.
`;
}

function line({
  name,
  statements,
  hostErrors,
  slowestMs,
  noticedMs,
  said,
  flaws,
  impossible,
  compared,
}: Outcome): string {
  const cells = [
    name,
    statements,
    hostErrors.length === 0 ? 'none' : hostErrors.map((text) => text.slice(0, 60)).join('; '),
    `${Math.round(slowestMs)} ms`,
    noticedMs === null ? '–' : `${(noticedMs / 1000).toFixed(1)} s`,
    said === '' ? '–' : said.slice(0, 80),
    flaws.length > 0
      ? flaws.join('; ')
      : impossible !== undefined
        ? 'told below'
        : compared
          ? 'ok'
          : 'ok, not compared',
  ];
  return `| ${cells.map((cell) => String(cell).replaceAll(/[|\n]/g, ' ')).join(' | ')} |`;
}
