/** What people read on stdout: one JSON line per event, a constant phrase and fields. */
import { pino, type DestinationStream } from 'pino';
import { escapeControls } from './escape-controls.ts';
import { redact, redactText } from './redact.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** From which level on lines are written. No line is below `debug`, and none above `error`. */
export type LogThreshold = 'trace' | LogLevel | 'fatal' | 'silent';

/** Writes one line: fields first, then a phrase that never changes, so that it can be searched for. */
export type LogLine = (fields: Readonly<Record<string, unknown>>, phrase: string) => void;

/** warn = will be tried again; error = a person must act; info = at most one line per batch. */
export interface Log {
  readonly debug: LogLine;
  readonly info: LogLine;
  readonly warn: LogLine;
  readonly error: LogLine;
  /** The same log with fields that every line of it carries. */
  child(fields: Readonly<Record<string, unknown>>): Log;
}

/** A {@link Log} whose level can be changed while it is used. */
export interface RootLog extends Log {
  setLevel(level: LogThreshold): void;
}

/**
 * A log on stdout, or on `destination`. Fields that hold a secret are hidden wherever they stand (redact.ts); an error
 * goes under `err`.
 */
export function makeLogger(options: { level: LogThreshold; destination?: DestinationStream }): RootLog {
  const settings = {
    level: options.level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    // Errors are made fit by redact.ts; pino's own way would undo that.
    serializers: { err: (err: unknown) => err },
    formatters: { level: (label: string) => ({ level: label }) },
    // JSON escapes C0 only.
    hooks: { streamWrite: escapeControls },
  };
  const root = options.destination === undefined ? pino(settings) : pino(settings, options.destination);
  const isOn = (level: LogLevel): boolean => root.isLevelEnabled(level);
  const make = (bound: Readonly<Record<string, unknown>>): Log => {
    const line =
      (level: LogLevel): LogLine =>
      (fields, phrase) => {
        if (isOn(level)) root[level](redact({ ...bound, ...fields }) as object, redactText(phrase));
      };
    return {
      debug: line('debug'),
      info: line('info'),
      warn: line('warn'),
      error: line('error'),
      child: (fields) => make({ ...bound, ...fields }),
    };
  };
  return {
    ...make({}),
    setLevel(level) {
      root.level = level;
    },
  };
}

/** Says nothing: for one-shot commands and tests. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};
