import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { CommandContext } from '../cluster/context.ts';
import { withOutputOption } from '../cluster/options.ts';
import { DATA_FORMATS, parseFormat, renderData } from '../output/format.ts';
import { createProgress } from '../output/progress.ts';
import { renderTable } from '../output/table.ts';
import type { StoreSettings } from '../process/store.ts';

interface StoreFlags {
  readonly data: string;
  readonly encryptionKey?: string;
  readonly output?: string;
}

/** What takes longer than this is told of while it goes on. */
const SILENT_MS = 1000;

export function registerStore(program: Command, context: CommandContext): void {
  const { cwd, terminal } = context;
  const store = program.command('store').description('back up, restore and tidy the store of a control plane');
  const settingsOf = (flags: StoreFlags): StoreSettings => ({
    stateFolder: resolve(cwd, flags.data),
    encryptionKey: flags.encryptionKey === undefined ? undefined : resolve(cwd, flags.encryptionKey),
  });

  storeFlags(store, 'backup', 'copy the store to a new file, also while the control plane runs')
    .argument('<file>', 'where to; must not be there yet')
    .addHelpText(
      'after',
      `
The keys for Secrets are not in it: keep a copy of the key file, apart from the backups.

Examples:
  tutti store backup backups/monday.db
  tutti store backup --data /var/lib/tutti /mnt/backups/tutti.db -o json`,
    )
    .action((file: string, flags: StoreFlags) =>
      tell(context, flags, {
        what: 'copying the store',
        work: async (heard) => {
          const { backupStore } = await import('../process/store.ts');
          return backupStore(context, settingsOf(flags), resolve(cwd, file), heard);
        },
        lines: (made) => [
          `${file}: sound, revision ${made.revision}, ${made.keys} keys, ${size(made.fileBytes)}`,
          ...(made.encryptionKeys.length === 0
            ? []
            : [
                `its Secrets need key ${made.encryptionKeys.join(', ')}: keep a copy of the key file too, apart from it`,
              ]),
        ],
      }),
    );

  storeFlags(store, 'restore', 'put a backup in the place of the store; what was there is kept aside')
    .argument('<file>', 'a backup made by "tutti store backup"')
    .addHelpText(
      'after',
      `
The control plane must not run. Its revisions go on past all that there were, so that every client lists anew.

Examples:
  tutti store restore backups/monday.db
  tutti store restore --data /var/lib/tutti /mnt/backups/tutti.db`,
    )
    .action((file: string, flags: StoreFlags) =>
      tell(context, flags, {
        what: 'restoring',
        work: async () => {
          const { restoreBackup } = await import('../process/store.ts');
          const restored = await restoreBackup(context, settingsOf(flags), resolve(cwd, file));
          if (restored.missingKeys.length > 0) {
            terminal.err(
              `${terminal.style('yellow', 'warning:')} its Secrets are sealed with key ${restored.missingKeys.join(', ')}, which the key file does not have: put it there before the next start\n`,
            );
          }
          return restored;
        },
        lines: (restored) => [
          `${restored.file}: ${restored.keys} keys of revision ${restored.backupRevision}; goes on from revision ${restored.revision}`,
          ...(restored.keptAside === undefined ? [] : [`the store of before: ${restored.keptAside}`]),
        ],
      }),
    );

  storeFlags(store, 'compact', 'forget history and give free space back, also while the control plane runs')
    .addHelpText('after', '\nExample:\n  tutti store compact')
    .action((flags: StoreFlags) =>
      tell(context, flags, {
        what: 'compacting',
        work: async () => {
          const { compactStore } = await import('../process/store.ts');
          return compactStore(context, settingsOf(flags));
        },
        lines: ({ revision, before, after }) => [
          `history up to revision ${revision} is forgotten`,
          ...(before === undefined || after === undefined
            ? []
            : [
                `on disk: ${size(before.fileBytes + before.logBytes)} before, ${size(after.fileBytes + after.logBytes)} now`,
              ]),
        ],
      }),
    );

  storeFlags(store, 'rotate-key', 'seal all Secrets with a new key, also while the control plane runs')
    .option('--drop-old', 'forget history and take the older keys out of the key file')
    .addHelpText(
      'after',
      `
Backups made before need the older keys: keep a copy of the key file with them before --drop-old.

Examples:
  tutti store rotate-key
  tutti store rotate-key --drop-old`,
    )
    .action((flags: StoreFlags & { readonly dropOld?: boolean }) =>
      tell(context, flags, {
        what: 'sealing',
        work: async () => {
          const { rotateKey } = await import('../process/store.ts');
          return rotateKey(context, settingsOf(flags), flags.dropOld === true ? 'drop' : 'keep');
        },
        lines: ({ secretsSealed, keyId, oldKeys, droppedKeys }) => [
          `${secretsSealed} Secrets are sealed with key ${keyId}`,
          ...(oldKeys.length === 0
            ? []
            : [`still in the key file: ${oldKeys.join(', ')}; "tutti store rotate-key --drop-old" takes them out`]),
          ...(droppedKeys.length === 0 ? [] : [`taken out of the key file: ${droppedKeys.join(', ')}`]),
        ],
      }),
    );

  storeFlags(store, 'status', 'what the store holds and takes on disk')
    .addHelpText('after', '\nExample:\n  tutti store status -o json')
    .action((flags: StoreFlags) =>
      tell(context, flags, {
        what: 'reading the store',
        work: async () => {
          const { storeStatus } = await import('../process/store.ts');
          return storeStatus(context, settingsOf(flags));
        },
        lines: ({ revision, keys, file, encryptionKeys: [writes = 'none', ...reads] }) => [
          renderTable(
            ['REVISION', 'KEYS', 'FILE', 'FREE', 'LOG', 'ENCRYPTION KEY', 'OLDER KEYS'],
            [
              [
                String(revision),
                String(keys),
                size(file?.fileBytes),
                size(file?.freeBytes),
                size(file?.logBytes),
              ].concat([writes, reads.length === 0 ? '-' : reads.join(',')]),
            ],
          ).trimEnd(),
        ],
      }),
    );
}

interface Told<T extends object> {
  readonly what: string;
  readonly work: (heard: (share: number) => void) => Promise<T>;
  readonly lines: (done: T) => readonly string[];
}

/** Does it, with progress, and prints what came of it. */
async function tell<T extends object>(
  context: CommandContext,
  flags: StoreFlags,
  { what, work, lines }: Told<T>,
): Promise<void> {
  const format = parseFormat(flags.output, DATA_FORMATS);
  const done = await withProgress(context, what, work);
  context.terminal.out(format === undefined ? `${lines(done).join('\n')}\n` : renderData(done, format));
}

function storeFlags(store: Command, name: string, description: string): Command {
  const command = store.command(name).description(description);
  return withOutputOption(
    command
      .option('--data <folder>', "the control plane's data folder", '.tutti')
      .option(
        '--encryption-key <file>',
        'keys for Secrets, as the control plane was told (default: encryption.key in the data folder)',
      ),
  );
}

async function withProgress<T>(
  { terminal, clock }: CommandContext,
  what: string,
  work: (tell: (share: number) => void) => Promise<T>,
): Promise<T> {
  const progress = createProgress(terminal);
  const step = terminal.live ? 1 : 10;
  let shown = false;
  let share: number | undefined;
  const show = (): void => {
    const percent = share === undefined ? '' : ` ${Math.floor((share * 100) / step) * step}%`;
    if (shown) progress.update([{ key: what, text: `${what} …${percent}` }]);
  };
  const timer = clock.timer(SILENT_MS, () => {
    shown = true;
    show();
  });
  try {
    return await work((now) => {
      share = now;
      show();
    });
  } finally {
    timer.stop();
    progress.done();
  }
}

function size(bytes: number | undefined): string {
  if (bytes === undefined) return '-';
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
