import { AuthorityRefusedError } from '../../certs/authority/refusal.ts';
import { EncryptionRefusedError } from '../../control/encryption/key-file.ts';
import { SharedAuthorityError } from '../../control/ha/shared-authority.ts';
import { startSharedControlPlane } from '../../control/ha/shared-control-plane.ts';
import { type ControlPlane, startControlPlane } from '../../control/main.ts';
import { RedisRefusedError } from '../../control/store/redis/refusal.ts';
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
  return await inWords(startControlPlane({ ...settings, clock: context.clock, random: systemRandom(), log }));
}

const REFUSALS = [
  AuthorityRefusedError,
  StoreRefusedError,
  EncryptionRefusedError,
  RedisRefusedError,
  SharedAuthorityError,
];

async function inWords<T>(starting: Promise<T>): Promise<T> {
  try {
    return await starting;
  } catch (error) {
    if (REFUSALS.some((refusal) => error instanceof refusal))
      throw new CommandError((error as Error).message, { cause: error });
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      throw new CommandError(`control plane: ${(error as Error).message}`, {
        hint: 'choose other ports with --api-port and --xds-port',
        cause: error,
      });
    }
    throw error;
  }
}

async function startShared(
  { clock, terminal, signal }: CommandContext,
  settings: ControlSettings & { readonly storeUrl: string },
  log: Logger,
) {
  const onRole = (message: string): void => terminal.err(`${message}\n`);
  return await inWords(startSharedControlPlane({ ...settings, clock, random: systemRandom(), log, onRole, signal }));
}

/** `tutti control`: until it is told to stop. Pods and proxies go on without it. */
export async function runControl(context: CommandContext, settings: ControlSettings): Promise<void> {
  const log = createLog({ level: settings.logLevel, format: settings.logFormat });
  const lock = await lockFolder(settings.stateFolder, 'control');
  try {
    const { storeUrl } = settings;
    const control: ControlPlane & { readonly ended?: Promise<void> } =
      storeUrl === undefined
        ? await startControl(context, settings, log)
        : await startShared(context, { ...settings, storeUrl }, log);
    context.terminal.err(
      `control plane: ${control.server}, xDS ${control.xdsAddress}\nkubeconfig: ${control.kubeconfig}\n`,
    );
    await Promise.race([untilStopped(context), ...(control.ended === undefined ? [] : [inWords(control.ended)])]);
    await control.close();
  } finally {
    await lock.release();
  }
}
