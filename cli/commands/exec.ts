import { once } from 'node:events';
import type { Command } from 'commander';
import type { StreamSocket } from '../../api/client/stream-socket.ts';
import { podKind } from '../../api/kinds/pod.ts';
import type { CommandContext } from '../cluster/context.ts';
import { type ClusterOptions, withClusterOptions } from '../cluster/options.ts';
import { resourcePath } from '../cluster/resources.ts';
import { CommandError, EXIT } from '../output/exit-codes.ts';

interface ExecOptions extends ClusterOptions {
  readonly container?: string;
  readonly stdin?: boolean;
  readonly tty?: boolean;
}

const [STDIN, STDOUT, STDERR, ERROR, RESIZE] = [0, 1, 2, 3, 4];

export function registerExec(program: Command, context: CommandContext): void {
  const command = program
    .command('exec')
    .description('run a command beside a container, and end with its exit code')
    .argument('<pod>', 'which pod')
    .argument('<command...>', 'the command and its arguments, after --')
    .option('-c, --container <name>', 'which container (default: the only one)')
    .option('-i, --stdin', 'pass standard input on')
    .option('-t, --tty', 'on a terminal of its own')
    .addHelpText(
      'after',
      '\nExamples:\n  tutti exec web -- env\n  tutti exec -it web -c app -- sh\n  tutti exec -i web -- tar x < files.tar',
    );
  withClusterOptions(command).action(async (pod: string, words: readonly string[], options: ExecOptions) => {
    if (options.tty === true && !(process.stdin.isTTY && process.stdout.isTTY)) {
      throw new CommandError('--tty: this is not a terminal', {
        exit: 'usage',
        hint: 'leave out -t; -i works anywhere',
      });
    }
    const cluster = await context.connect(options);
    try {
      const namespace = options.namespace ?? cluster.namespace;
      const path = `${resourcePath(podKind, namespace, pod.replace(/^(pods?|po)\//, ''))}/exec?${queryOf(words, options)}`;
      const socket = await cluster.openStream(path);
      const cut = (): void => socket.close();
      context.signal.addEventListener('abort', cut, { once: true });
      process.exitCode = await carry(socket, options, context.signal);
    } finally {
      await cluster.close();
    }
  });
}

function queryOf(words: readonly string[], { container, stdin, tty }: ExecOptions): string {
  const query = new URLSearchParams({ stdout: 'true' });
  if (container !== undefined) query.set('container', container);
  if (stdin === true) query.set('stdin', 'true');
  query.set(tty === true ? 'tty' : 'stderr', 'true');
  for (const word of words) query.append('command', word);
  return query.toString();
}

/** Carries the streams to their end. Gives the command's exit code. */
async function carry(socket: StreamSocket, { stdin, tty }: ExecOptions, signal: AbortSignal): Promise<number> {
  const resize = (): void => {
    const { columns: Width, rows: Height } = process.stdout;
    void socket.send(RESIZE, Buffer.from(JSON.stringify({ Width, Height })));
  };
  const isRaw = tty === true && stdin === true;
  if (tty === true) {
    resize();
    process.stdout.on('resize', resize);
  }
  if (isRaw) process.stdin.setRawMode(true);
  if (stdin === true) void sendInput(socket);
  let status: unknown;
  try {
    for await (const { channel, bytes } of socket.messages()) {
      if (channel === STDOUT) await print(process.stdout, bytes);
      else if (channel === STDERR) await print(process.stderr, bytes);
      else if (channel === ERROR) status = JSON.parse(bytes.toString('utf8'));
    }
  } finally {
    process.stdout.off('resize', resize);
    if (isRaw) process.stdin.setRawMode(false);
    // A read of a terminal under way would hold the process.
    process.stdin.destroy();
  }
  if (signal.aborted) return EXIT.interrupted.code;
  return exitCodeOf(status);
}

async function sendInput(socket: StreamSocket): Promise<void> {
  try {
    for await (const piece of process.stdin as AsyncIterable<Buffer>) await socket.send(STDIN, piece);
    await socket.end(STDIN);
  } catch {
    // Closed at the end of the command.
  }
}

async function print(stream: NodeJS.WriteStream, bytes: Buffer): Promise<void> {
  if (!stream.write(bytes)) await once(stream, 'drain');
}

interface ExitStatus {
  readonly status?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] };
}

/** Throws CommandError when there is none: the command could not be run, or the connection broke. */
function exitCodeOf(given: unknown): number {
  if (given === undefined) throw new CommandError('exec: the connection broke before the command had ended');
  const { status, message, reason, details } = given as ExitStatus;
  if (status === 'Success') return 0;
  const code = details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message;
  if (reason === 'NonZeroExitCode' && code !== undefined && /^\d{1,3}$/.test(code)) return Number(code);
  throw new CommandError(`exec: ${message ?? 'failed without a reason'}`);
}
