import type { Container } from '../../api/kinds/container.ts';
import type { ContainerStatus, Runtime } from '../runtime/runtime.ts';
import { explainExit, lastLines, oneLine } from './exit-explanation.ts';
import { signalName } from './signal-name.ts';
import { readLogEnd, readTerminationMessage } from './termination-message.ts';

export interface ExitReport {
  /** For the status: its own last words; where there are none, how it ended and the end of its log. */
  readonly message: string;
  /** What an event says of it; undefined when it ended well. */
  readonly news: string | undefined;
}

export interface EndedRun {
  readonly run: ContainerStatus;
  readonly container: Container;
  /** What it may have left its last words in. */
  readonly terminationFile: string;
  /** What the probe said for which it was stopped. */
  readonly failedProbe: string | undefined;
}

/** What is to be told of a run that has ended. */
export async function reportExit(runtime: Runtime, ended: EndedRun): Promise<ExitReport> {
  const { run, container, terminationFile, failedProbe } = ended;
  const { state, key } = run;
  const words = await readTerminationMessage(terminationFile);
  if (state.type !== 'exited' || (state.exitCode === 0 && failedProbe === undefined)) {
    return { message: words, news: undefined };
  }
  const log = await readLogEnd(runtime, key);
  const how = explainExit({
    state,
    signalName: state.signal === undefined ? undefined : signalName(state.signal),
    memoryLimit: container.resources.limits?.['memory'],
    failedProbe,
  });
  const isLogWanted = container.terminationMessagePolicy === 'FallbackToLogsOnError' && state.exitCode !== 0;
  const own = words === '' && isLogWanted ? log : words;
  return {
    message: own === '' ? `${how}${lastLines(log)}` : own,
    news: `Container ${container.name} ${how}${oneLine(words === '' ? log : words)}`,
  };
}
