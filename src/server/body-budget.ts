/** How many bytes of bodies are held at once, so that no number of callers can fill the memory of the daemon. */
import { SyncError } from '../model/errors.ts';

/** A piece of a body takes so much, however small it is. */
const LEAST_OF_PIECE = 512;
/** Each value of JSON takes more memory than its bytes. */
const BYTES_OF_VALUE = 16;

/** Of the bodies of all callers. */
export interface BodyBudget {
  /** What the bodies of one caller take is limited too, so that it cannot keep others out. */
  open(caller: string): BodyShare;
}

/** What one body takes. */
export interface BodyShare {
  /** A piece arrived. Throws `OVERLOADED`, or `BODY_TOO_LARGE` where it alone is more than a caller may hold. */
  take(bytes: number): void;
  /** What arrived so far is JSON of so many values. Throws as `take` does. */
  takeValues(values: number): void;
  /** Nothing is held any more, and nothing can be taken. May be called again. */
  release(): void;
}

/** Limits, asked at each call. In bytes, unpacked. */
export interface BodyLimits {
  readonly total: () => number;
  readonly perCaller: () => number;
}

/** A budget of which nothing is taken yet. */
export function makeBodyBudget({ total, perCaller }: BodyLimits): BodyBudget {
  let held = 0;
  const heldBy = new Map<string, number>();
  return {
    open(caller) {
      let taken = 0;
      let isReleased = false;
      const hold = (bytes: number): void => {
        const ofCaller = heldBy.get(caller) ?? 0;
        // What still comes of a body that broke off is nobody's.
        if (isReleased) throw new SyncError('OVERLOADED');
        if (taken + bytes > perCaller()) throw new SyncError('BODY_TOO_LARGE');
        if (held + bytes > total() || ofCaller + bytes > perCaller()) throw new SyncError('OVERLOADED');
        taken += bytes;
        held += bytes;
        heldBy.set(caller, ofCaller + bytes);
      };
      return {
        take: (bytes) => hold(Math.max(bytes, LEAST_OF_PIECE)),
        takeValues: (values) => hold(Math.max(0, values * BYTES_OF_VALUE - taken)),
        release() {
          held -= taken;
          const rest = (heldBy.get(caller) ?? 0) - taken;
          if (rest > 0) heldBy.set(caller, rest);
          else heldBy.delete(caller);
          taken = 0;
          isReleased = true;
        },
      };
    },
  };
}
