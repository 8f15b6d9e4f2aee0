/** The command line: what it takes, and which file does it; a command's file is loaded when it is the one. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { parseParkedId } from '../store/entry-cursor.ts';
import { VERSION } from '../version.ts';
import type { ExitCode, Terminal } from './context.ts';
import { HELP } from './help.ts';

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
  const command = (usage: string, description: string): Command => {
    const one = program.command(usage).description(description);
    const examples = HELP.examples[one.name()];
    if (examples !== undefined) one.addHelpText('after', examples);
    return one.configureHelp({ showGlobalOptions: true });
  };
  const json = (one: Command): Command => one.option('--json', 'print JSON');
  /** The command's own options and those before it. */
  const does = (one: Command, act: (flags: object, args: readonly string[]) => Promise<ExitCode>): Command =>
    one.action(async () => done(await act(one.optsWithGlobals(), one.args)));

  does(command('run', 'the daemon'), async (flags) => (await import('./run.ts')).run(flags, terminal));
  does(
    command('init', 'write a config.yaml for the Osclass of this machine, with new keys')
      .option('--osclass <dir>', 'folder of Osclass, where its config.php is (default: the current one)')
      .option('--name <name>', 'site.name (default: from the address of the site)')
      .option(
        '--line <n>',
        'where config.php has several sets of values: the line where the right one begins',
        lineNumber,
      )
      .option('--container', 'for a daemon that runs in a container')
      .option('--force', 'even if there is a config already; it is kept with .old at its end'),
    async (flags) => (await import('./init.ts')).init(flags, terminal),
  );
  does(json(command('check', 'config, database, rights, triggers, clock, each peer both ways')), async (flags) =>
    (await import('./check.ts')).check(flags, terminal),
  );
  does(
    command('install', 'tables, triggers, baseline').option(
      '--dry-run',
      'print the SQL and the GRANTs needed; change nothing',
    ),
    async (flags) => (await import('./install.ts')).install(flags, terminal),
  );
  does(
    command('uninstall', 'triggers, then tables').option('--force', 'even if a daemon seems to be at work'),
    async (flags) => (await import('./uninstall.ts')).uninstall(flags, terminal),
  );
  does(
    json(command('feed <peer>', 'pull all existing users of a peer'))
      .option('--dry-run', 'say what would be done; write nothing')
      .option('--restart', 'from the beginning instead of where the last one ended')
      .option('--once', 'one page only')
      .option('--overwrite', "the peer's values win whatever the stamps, as if set now"),
    async (flags, [peer = '']) => (await import('./feed.ts')).feed(peer, flags, terminal),
  );
  does(json(command('stream [peer]', 'sends now all that was changed before')), async (flags, [peer]) =>
    (await import('./stream.ts')).stream(peer, flags, terminal),
  );
  const statusCommand = json(command('status', 'queue, outboxes, lag, last status and message per peer'));
  statusCommand.option('--watch', 'again every two seconds, until Ctrl-C');
  does(statusCommand, async (flags) => (await import('./status.ts')).status(flags, terminal));
  does(
    json(command('logs', 'log records, newest last'))
      .addOption(new Option('--type <type>', 'what happened').choices(['FEED', 'STREAM', 'PROCESS']))
      .option('--peer <name>', 'with whom')
      .option('--status <status>', 'HTTP code, OK or ERR', statusFilter)
      .option('--search <text>', 'part of response or content, whatever the case')
      .option('--trace <id>', 'one exchange; the log of the peer has it under the same id')
      .option('--limit <n>', 'records to begin with (default 50)', wholeNumber)
      .option('--follow', 'go on as records come, until Ctrl-C'),
    async (flags) => (await import('./logs.ts')).logs(flags, terminal),
  );
  const parked = json(command('parked', 'what waits for a person'));
  parked.argument('[action]', 'retry or drop').argument('[id]', 'as the list shows it');
  does(parked, async (flags, [action, id]) => {
    const { dropOneParked, listParkedEntries, retryParkedEntry } = await import('./parked.ts');
    if (action === undefined) return listParkedEntries(flags, terminal);
    const act = action === 'retry' ? retryParkedEntry : action === 'drop' ? dropOneParked : undefined;
    if (act !== undefined && id !== undefined && parseParkedId(id) !== undefined) return act(id, flags, terminal);
    return parked.error('error: expected "parked", "parked retry ID" or "parked drop ID", with an ID of the list');
  });
  does(json(command('explain <email|id>', 'everything known of one user')), async (flags, [who = '']) =>
    (await import('./explain.ts')).explainUser(who, flags, terminal),
  );
  does(json(command('approve <peer>', 'let held removals through')), async (flags, [peer = '']) =>
    (await import('./parked.ts')).approve(peer, flags, terminal),
  );
  const resume = json(command('resume', 'go on after a move, a restore or a copy, and say which it was'));
  resume.option('--moved', 'the same site at another server, database or address');
  resume.option('--restored', 'the same site with older data').option('--clone', 'another site, made from its data');
  does(resume, async (flags) => {
    const { resumeAs, saidBy } = await import('./resume.ts');
    const as = saidBy(flags);
    return as === undefined
      ? resume.error('error: expected one of --moved, --restored and --clone')
      : resumeAs(as, flags, terminal);
  });
  does(command('health', 'ask the running daemon whether it is ready'), async (flags) =>
    (await import('./health.ts')).health(flags, terminal),
  );
  does(command('key', 'prints a new random key'), async () => (await import('./key.ts')).key(terminal));
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
