import { AuthorityRefusedError } from '../../certs/authority/refusal.ts';
import { EncryptionRefusedError } from '../../control/encryption/key-file.ts';
import { type ControlPlane, startControlPlane } from '../../control/main.ts';
import { StoreRefusedError } from '../../control/store/sqlite/refusal.ts';
import { createLog, type Logger } from '../../kit/log.ts';
import { systemRandom } from '../../kit/random.ts';
import type { CommandContext } from '../cluster/context.ts';
import { CommandError } from '../output/exit-codes.ts';
import { lockFolder } from '../up/lock.ts';
import type { ControlSettings } from './flags.ts';
import { untilStopped } from './until-stopped.ts';

/** Starts the control plane, telling what it refuses in words that say what to do. */
export async function startControl(
  context: CommandContext,
  settings: ControlSettings,
  log: Logger,
): Promise<ControlPlane> {
  try {
    return await startControlPlane({ ...settings, clock: context.clock, random: systemRandom(), log });
  } catch (error) {
    if (
      error instanceof AuthorityRefusedError ||
      error instanceof StoreRefusedError ||
      error instanceof EncryptionRefusedError
    )
      throw new CommandError(error.message, { cause: error });
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      throw new CommandError(`control plane: ${(error as Error).message}`, {
        hint: 'choose other ports with --api-port and --xds-port',
        cause: error,
      });
    }
    throw error;
  }
}

/** `tutti control`: until it is told to stop. Pods and proxies go on without it. */
export async function runControl(context: CommandContext, settings: ControlSettings): Promise<void> {
  const log = createLog({ level: settings.logLevel, format: settings.logFormat });
  const lock = await lockFolder(settings.stateFolder, 'control');
  try {
    const control = await startControl(context, settings, log);
    context.terminal.err(
      `control plane: ${control.server}, xDS ${control.xdsAddress}\nkubeconfig: ${control.kubeconfig}\n`,
    );
    await untilStopped(context);
    await control.close();
  } finally {
    await lock.release();
  }
}
