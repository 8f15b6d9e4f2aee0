/** Checks schedules with the parser that node-schedule itself uses, so that what passes here runs there. */
import parser from 'cron-parser';

/**
 * True for six fields, seconds first. node-schedule takes more (five fields, dates, `@hourly`), but a date would run
 * once and then never again, and five fields mean minutes where seconds are expected.
 */
export function isSchedule(text: string): boolean {
  if (text.trim() !== text || text.split(/\s+/).length !== 6) return false;
  try {
    parser.parseExpression(text).next();
    return true;
  } catch {
    return false;
  }
}
