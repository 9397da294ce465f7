import type { ExecAction } from '../../api/kinds/handler.ts';
import type { ProbeResult, ProbeTarget } from './handlers.ts';

/** Exit status 0 is success (pkg/probe/exec/exec.go). */
export async function probeExec(action: ExecAction, target: ProbeTarget, timeoutMs: number): Promise<ProbeResult> {
  const command = action.command ?? [];
  if (command.length === 0) return { outcome: 'error', message: 'the probe has no command' };
  const { exitCode, output } = await target.exec(command, timeoutMs);
  if (exitCode === 0) return { outcome: 'success', message: output };
  const why =
    exitCode === undefined ? `command timed out: "${command.join(' ')}" timed out after ${timeoutMs / 1000}s` : output;
  return { outcome: 'failure', message: why };
}
