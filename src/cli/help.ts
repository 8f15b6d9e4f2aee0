/** The part of the help that commander does not write: examples, and what exit codes mean. */

const after = (...lines: string[]): string => `\n${lines.join('\n')}\n`;

/** `all` for the program, `examples` by command. */
export const HELP: { readonly all: string; readonly examples: Readonly<Record<string, string>> } = {
  all: after(
    'Examples:',
    '  account-sync init --osclass /var/www/html  a config.yaml for the Osclass there',
    '  account-sync key                          a key for site.api_key',
    '  account-sync install --dry-run            the SQL and the GRANTs, without running anything',
    '  account-sync check && account-sync run',
    '  account-sync feed homes                   the users that homes already has',
    '  account-sync status                       one screen; exit code 3 if something needs you',
    '  account-sync logs --peer homes --search EMAIL_TAKEN --follow',
    '',
    'Exit codes: 0 done, 1 failed, 2 usage or config, 3 something needs a person.',
    'LOG_LEVEL=debug shows where in the program a failure came from.',
  ),
  examples: {
    init: after(
      "Reads Osclass's config.php (and never runs it) and, with the account it finds there, the database; changes nothing there.",
      'Prints SQL for a database account of its own, and what each peer has to add to its config.',
      '',
      'Examples:',
      '  account-sync init --osclass /var/www/html',
      '  account-sync init --osclass /var/www/html --name cars --config /etc/account-sync/config.yaml',
    ),
    install: after(
      'May run while the site works; can be stopped and started again.',
      '',
      'Examples:',
      '  account-sync install --dry-run > install.sql     for whoever runs the database',
      '  account-sync install',
    ),
    uninstall: after('The database is then as it was before install; users that came from peers stay.'),
    feed: after(
      'Ctrl-C stops after the page under way; the next feed goes on from there.',
      'Exit code 3: some users were parked, see "account-sync parked".',
      '',
      'Examples:',
      '  account-sync feed homes --dry-run        who would be inserted or updated, and why some could not',
      '  account-sync feed homes                  all users',
      '  account-sync feed homes --restart        once more from the beginning',
    ),
    stream: after(
      'Works beside a running daemon. Goes on until all that was changed before it is sent.',
      'Exit code 1: a peer could not be reached, or some of it still waits after 30 s.',
      '',
      'Examples:',
      '  account-sync stream                      to all peers',
      '  account-sync stream homes',
    ),
    status: after(
      'Exit code 3: something is parked or held, or all is stopped (see resume).',
      '',
      'Examples:',
      '  account-sync status --watch              a screen that keeps itself up to date',
      '  account-sync status --json',
    ),
    resume: after(
      'A daemon that finds another server, database name, site.url or site.name than last time sends and applies nothing,',
      'until this says what happened. Nothing is lost meanwhile: edits here are kept, peers keep theirs.',
      'Exit code 1: nothing was stopped.',
      '',
      'Examples:',
      '  account-sync resume --moved              the site went to another server, database or address',
      '  account-sync resume --restored           and its data are those of a backup',
      '  account-sync resume --clone              a staging copy, after site.name and site.api_key were changed',
    ),
    logs: after(
      'Examples:',
      '  account-sync logs --type PROCESS --status ERR',
      '  account-sync logs --peer homes --follow',
      '  account-sync logs --search EMAIL_TAKEN --json',
      '  account-sync logs --trace 5c0a3f0e-2a5b-4d1c-9f3e-0d6f6f1b7a11    the same here and on the peer',
    ),
    parked: after(
      'Exit code 3: something is parked.',
      '',
      'Examples:',
      '  account-sync parked                      the list, with ids',
      '  account-sync parked retry 17             once the reason is resolved',
      '  account-sync parked drop homes:u:204     give it up',
    ),
    explain: after(
      'Uids, when and where each register was set, what peers have not confirmed and why, the last log records.',
      '',
      'Examples:',
      '  account-sync explain ana@example.com',
      '  account-sync explain 17 --json           the user with id 17 on this site',
    ),
    approve: after(
      'Examples:',
      '  account-sync approve homes               what the guard holds for homes, in and out',
    ),
  },
};
