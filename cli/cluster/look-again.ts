import { isUnreached, mayPass } from '../../api/client/failures.ts';
import type { CommandContext } from './context.ts';

export interface Patience {
  readonly context: Pick<CommandContext, 'clock' | 'signal' | 'terminal'>;
  /** On the monotonic clock. From then on a failure is the end. Never, when missing: until Ctrl-C. */
  readonly untilMs?: number;
  /** The server has answered this command before, so one that refuses connections is starting again. */
  readonly isKnown?: true;
  /** Hears of an interruption that lasts; a line on standard error when missing. */
  readonly tell?: (message: string) => void;
}

/** Asks, and asks again. Throws what the last answer was when it will not change, or the time is over. */
export type Look = <T>(question: () => Promise<T>) => Promise<T>;

const AGAIN_MS = 250;
/** An interruption that is shorter is not worth a word. */
const TOLD_AFTER_MS = 1000;

/**
 * For a command that looks at the server until something has happened: one failed look is not the end of it. A server that
 * answers 503, closes the connection or is started again meanwhile counts as "not yet"; a refusal that stays (401, 403, 404,
 * a certificate that does not hold) is thrown at once, and so is a server that is not there when the command begins.
 */
export function lookAgain({ context, untilMs = Number.POSITIVE_INFINITY, isKnown, tell }: Patience): Look {
  const { clock, signal, terminal } = context;
  const say = tell ?? ((message) => terminal.err(`${terminal.style('yellow', 'warning:')} ${message}\n`));
  let hasAnswered = isKnown === true;
  return async (question) => {
    const startedMs = clock.monotonic();
    let isTold = false;
    for (;;) {
      try {
        const answer = await question();
        hasAnswered = true;
        return answer;
      } catch (error) {
        if (signal.aborted || clock.monotonic() >= untilMs || !mayPass(error)) throw error;
        if (!hasAnswered && isUnreached(error)) throw error;
        if (!isTold && clock.monotonic() - startedMs >= TOLD_AFTER_MS) {
          isTold = true;
          say(`${(error as Error).message}; asking again`);
        }
      }
      await clock.sleep(AGAIN_MS, signal);
    }
  };
}
