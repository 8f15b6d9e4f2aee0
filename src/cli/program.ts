/** The command line: what it takes, and which file does it; a command's file is loaded when it is the one. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { GUARD_CLASSES } from '../model/guard.ts';
import { parseParkedId } from '../store/entry-cursor.ts';
import { VERSION } from '../version.ts';
import type { ExitCode, Terminal } from './context.ts';
import { HELP } from './help.ts';

/** How a command was called. */
interface Invocation {
  /** The command's own options and those before it. */
  readonly flags: object;
  /** What stands behind its name, without options. */
  readonly args: readonly string[];
  readonly terminal: Terminal;
  /** Ends it as wrong usage, with exit code 2. */
  readonly reject: (message: string) => never;
}

/** What there is to say of a command besides its name. */
interface CommandDetails {
  /** True: it prints data, and takes `--json`. */
  readonly json?: boolean;
  /** Adds its options and the arguments that have a description. */
  readonly options?: (command: Command) => unknown;
  readonly run: (invocation: Invocation) => Promise<ExitCode>;
}

interface CommandEntry extends CommandDetails {
  /** As the help has it: `feed <peer>`. */
  readonly usage: string;
  readonly description: string;
}

/** All commands, in the order of the help. */
const COMMANDS: readonly CommandEntry[] = [
  command('run', 'the daemon', {
    run: async ({ flags, terminal }) => (await import('./run.ts')).run(flags, terminal),
  }),
  command('init', 'write a config.yaml for the Osclass of this machine, with new keys', {
    options: (init) =>
      init
        .option('--osclass <dir>', 'folder of Osclass, where its config.php is (default: the current one)')
        .option('--name <name>', 'site.name (default: from the address of the site)')
        .option(
          '--line <n>',
          'where config.php has several sets of values: the line where the right one begins',
          lineNumber,
        )
        .option('--container', 'for a daemon that runs in a container')
        .option('--force', 'even if there is a config already; it is kept with .old at its end'),
    run: async ({ flags, terminal }) => (await import('./init.ts')).init(flags, terminal),
  }),
  command('check', 'config, database, rights, triggers, clock, each peer both ways', {
    json: true,
    run: async ({ flags, terminal }) => (await import('./check.ts')).check(flags, terminal),
  }),
  command('install', 'tables, triggers, baseline', {
    options: (install) => install.option('--dry-run', 'print the SQL and the GRANTs needed; change nothing'),
    run: async ({ flags, terminal }) => (await import('./install.ts')).install(flags, terminal),
  }),
  command('uninstall', 'triggers, then tables', {
    options: (uninstall) => uninstall.option('--force', 'even if a daemon seems to be at work'),
    run: async ({ flags, terminal }) => (await import('./uninstall.ts')).uninstall(flags, terminal),
  }),
  command('feed <peer>', 'pull all existing users of a peer', {
    json: true,
    options: (feed) =>
      feed
        .option('--dry-run', 'say what would be done; write nothing')
        .option('--restart', 'from the beginning instead of where the last one ended')
        .option('--once', 'one page only')
        .option('--overwrite', "the peer's values win whatever the stamps, as if set now"),
    run: async ({ flags, args: [peer = ''], terminal }) => (await import('./feed.ts')).feed(peer, flags, terminal),
  }),
  command('stream [peer]', 'sends now all that was changed before', {
    json: true,
    run: async ({ flags, args: [peer], terminal }) => (await import('./stream.ts')).stream(peer, flags, terminal),
  }),
  command('status', 'queue, outboxes, lag, last status and message per peer', {
    json: true,
    options: (status) => status.option('--watch', 'again every two seconds, until Ctrl-C'),
    run: async ({ flags, terminal }) => (await import('./status.ts')).status(flags, terminal),
  }),
  command('logs', 'log records, newest last', {
    json: true,
    options: (logs) =>
      logs
        .addOption(new Option('--type <type>', 'what happened').choices(['FEED', 'STREAM', 'PROCESS']))
        .option('--peer <name>', 'with whom')
        .option('--status <status>', 'HTTP code, OK or ERR', statusFilter)
        .option('--search <text>', 'part of response or content, whatever the case')
        .option('--trace <id>', 'one exchange; the log of the peer has it under the same id')
        .option('--limit <n>', 'records to begin with (default 50)', wholeNumber)
        .option('--follow', 'go on as records come, until Ctrl-C'),
    run: async ({ flags, terminal }) => (await import('./logs.ts')).logs(flags, terminal),
  }),
  command('parked', 'what waits for a person', {
    json: true,
    options: (parked) => parked.argument('[action]', 'retry or drop').argument('[id]', 'as the list shows it'),
    run: async ({ flags, args: [action, id], terminal, reject }) => {
      const { dropOneParked, listParkedEntries, retryParkedEntry } = await import('./parked.ts');
      if (action === undefined) return listParkedEntries(flags, terminal);
      const act = action === 'retry' ? retryParkedEntry : action === 'drop' ? dropOneParked : undefined;
      if (act !== undefined && id !== undefined && parseParkedId(id) !== undefined) return act(id, flags, terminal);
      return reject('error: expected "parked", "parked retry ID" or "parked drop ID", with an ID of the list');
    },
  }),
  command('explain <email|id>', 'everything known of one user', {
    json: true,
    run: async ({ flags, args: [who = ''], terminal }) =>
      (await import('./explain.ts')).explainUser(who, flags, terminal),
  }),
  command('approve <peer>', 'let through what the guard holds', {
    json: true,
    options: (approve) =>
      approve
        .addOption(new Option('--class <class>', 'only what is held of this class').choices(GUARD_CLASSES))
        .option('--dry-run', 'say what would be let through, write nothing'),
    run: async ({ flags, args: [peer = ''], terminal }) =>
      (await import('./approve.ts')).approve(peer, flags, terminal),
  }),
  command('link <email> <peer>', "the account here and that of the same address at the peer are one person's", {
    json: true,
    options: (link) => link.option('--dry-run', 'say what would be done, write nothing'),
    run: async ({ flags, args: [email = '', peer = ''], terminal }) =>
      (await import('./link.ts')).link(email, peer, flags, terminal),
  }),
  command('unlink <email> <peer>', 'they are two: keep both, and part the one here', {
    json: true,
    options: (unlink) => unlink.option('--dry-run', 'say what would be done, write nothing'),
    run: async ({ flags, args: [email = '', peer = ''], terminal }) =>
      (await import('./link.ts')).unlink(email, peer, flags, terminal),
  }),
  command('resume', 'go on after a move, a restore or a copy, and say which it was', {
    json: true,
    options: (resume) =>
      resume
        .option('--moved', 'the same site at another server, database or address')
        .option('--restored', 'the same site with older data')
        .option('--clone', 'another site, made from its data'),
    run: async ({ flags, terminal, reject }) => {
      const { resumeAs, saidBy } = await import('./resume.ts');
      const as = saidBy(flags);
      return as === undefined
        ? reject('error: expected one of --moved, --restored and --clone')
        : resumeAs(as, flags, terminal);
    },
  }),
  command('health', 'ask the running daemon whether it is ready', {
    run: async ({ flags, terminal }) => (await import('./health.ts')).health(flags, terminal),
  }),
  command('key', 'prints a new random key', {
    json: true,
    options: (key) =>
      key.option('--pair', 'a pair to sign calls with: signing_key for this site, public_key for its peers'),
    run: async ({ flags, terminal }) => (await import('./key.ts')).printKey(flags, terminal),
  }),
];

function command(usage: string, description: string, details: CommandDetails): CommandEntry {
  return { usage, description, ...details };
}

/** Builds the program; `done` gets the exit code of the command that ran. What is wrong usage throws CommanderError. */
export function makeProgram(terminal: Terminal, done: (code: ExitCode) => void): Command {
  const program = new Command('account-sync')
    .description('Keeps the users of several Osclass sites the same.')
    .option('-c, --config <file>', 'config file (or ACCOUNT_SYNC_CONFIG; default config.yaml)')
    .version(VERSION)
    .addHelpText('after', HELP.all)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) })
    .exitOverride();
  for (const { usage, description, json = false, options, run } of COMMANDS) {
    const one = program.command(usage).description(description).configureHelp({ showGlobalOptions: true });
    const examples = HELP.examples[one.name()];
    if (examples !== undefined) one.addHelpText('after', examples);
    if (json) one.option('--json', 'print JSON');
    options?.(one);
    const reject = (message: string): never => one.error(message);
    one.action(async () => done(await run({ flags: one.optsWithGlobals(), args: one.args, terminal, reject })));
  }
  return program;
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1 || number > 1000) throw new InvalidArgumentError('Expected 1 to 1000.');
  return number;
}

function lineNumber(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('Expected the number of a line.');
  return Number(text);
}

function statusFilter(text: string): string {
  const wanted = text.toUpperCase();
  if (!/^(OK|ERR|[1-5]\d\d)$/.test(wanted)) throw new InvalidArgumentError('Expected an HTTP code, OK or ERR.');
  return wanted;
}
