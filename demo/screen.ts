/** What the demo writes on: a terminal, where lines may be redrawn and coloured, or a pipe or file, where they may not. */
import { styleText } from 'node:util';

/** A style of `node:util`, or several. */
export type Style = Parameters<typeof styleText>[0];

/** Where the demo shows things. */
export interface Screen {
  /** Lines may be drawn over: a terminal on which they do not wrap. */
  readonly isLive: boolean;
  /** A line that stays; it replaces what {@link Screen.sketch} drew. */
  line(text?: string): void;
  /** A line that the next one replaces; nothing unless the screen is live. */
  sketch(text: string): void;
  /** The text in a style, or as it is where colours are of no use (or unwanted: NO_COLOR). */
  paint(style: Style, text: string): string;
}

/** Lines are laid out for so many columns. */
export const WIDTH = 100;

const START_OF_EMPTY_LINE = '\r\u001b[2K';

/** A screen on standard output or another stream. */
export function makeScreen(stream: NodeJS.WriteStream): Screen {
  const isLive = stream.isTTY && stream.columns >= WIDTH;
  const start = isLive ? START_OF_EMPTY_LINE : '';
  return {
    isLive,
    line: (text = '') => void stream.write(`${start}${text}\n`),
    sketch: (text) => void (isLive && stream.write(start + text)),
    paint: (style, text) => styleText(style, text, { stream }),
  };
}
