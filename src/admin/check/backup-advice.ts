/** What triggers mean for backups; told where they are made and where they are looked at. */

/** @param account the definer of our triggers, as `'user'@'host'` */
export function backupAdvice(account: string): string {
  return `a dump with triggers can be restored only by ${account} or an administrator (others stop at error 1227): dump with --skip-triggers, the daemon makes them again`;
}
