/** What a prefix of tables may be: names of ours have to stand behind it, and a server takes 64 characters. */

/** Characters of the longest name of ours without the prefix: `account_sync_` and 21 more. */
const LONGEST_NAME = 34;

/** Most characters of a prefix. */
export const LONGEST_PREFIX = 64 - LONGEST_NAME;

/** As a regular expression for the whole of it. */
export const PREFIX_PATTERN = `^[A-Za-z0-9_$]{0,${LONGEST_PREFIX}}$`;
