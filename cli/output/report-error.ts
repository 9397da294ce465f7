import { ApiError } from '../../api/meta/api-error.ts';
import type { CommandContext } from '../cluster/context.ts';
import { CommandError, EXIT } from './exit-codes.ts';

/** The one place where a command's failure is told: what is wrong, what to do, and the exit code. Returns the code. */
export function reportError({ terminal, signal }: Pick<CommandContext, 'terminal' | 'signal'>, error: unknown): number {
  if (signal.aborted && !(error instanceof CommandError)) return EXIT.interrupted.code;
  const title = terminal.style('red', 'error:');
  if (error instanceof CommandError) {
    terminal.err(`${title} ${error.message}\n`);
    if (error.hint !== undefined) terminal.err(`${terminal.style('dim', 'hint:')}  ${error.hint}\n`);
    return EXIT[error.exit].code;
  }
  if (error instanceof ApiError) {
    terminal.err(`${title} ${error.message}\n`);
    return error.code === 503 || error.code === 0 ? EXIT.unreachable.code : EXIT.failed.code;
  }
  // Not one of ours: a defect. The stack is what whoever mends it needs.
  terminal.err(`${title} unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return EXIT.failed.code;
}
