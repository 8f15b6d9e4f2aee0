/** Stands in for src/store/guard-events.ts: the guard lets everything through. */
export async function guardAllowance(): Promise<number> {
  return 1_000_000;
}

export async function noteGuarded(): Promise<void> {}

export async function forgetGuarded(): Promise<void> {}

export async function guardAlone(): Promise<void> {}
