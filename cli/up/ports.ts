import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename } from 'node:path';
import { CommandError } from '../output/exit-codes.ts';

/** A port that is about to be taken, and how the user may choose another. */
export interface WantedPort {
  readonly port: number;
  readonly address: string;
  readonly use: string;
  readonly change: string;
}

/**
 * Fails, before anything is started, when a port is taken: by whom, and what to do. Port 0 is never taken, and what a killed
 * run left in the same state folder (its ingress) may hold its port: it will be taken over. Whoever binds next still reports an
 * error of its own.
 */
export async function requireFreePorts(wanted: readonly WantedPort[], stateFolder: string): Promise<void> {
  for (const { port, address, use, change } of wanted) {
    if (port === 0 || (await isFree(address, port))) continue;
    const holder = holderOf(port);
    if (holder?.command.includes(stateFolder) === true) continue;
    throw new CommandError(
      `port ${port} (${use}): in use${holder === undefined ? '' : ` by process ${holder.pid} (${holder.name})`}`,
      {
        hint: `stop what uses it, or ${change}`,
      },
    );
  }
}

function isFree(address: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else if (error.code === 'EACCES')
        reject(
          new CommandError(`port ${port}: this user may not bind it`, {
            hint: 'ports below 1024 take root; choose a higher one',
          }),
        );
      else reject(error);
    });
    probe.listen({ port, host: address, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

interface PortHolder {
  readonly pid: number;
  readonly name: string;
  readonly command: string;
}

/** Who listens on a TCP port: from /proc, so on Linux, and only processes that we may look at. */
function holderOf(port: number): PortHolder | undefined {
  try {
    const inodes = new Set(['tcp', 'tcp6'].flatMap((table) => listeningInodes(table, port)));
    const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && holdsOne(name, inodes));
    if (pid === undefined) return undefined;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    const name = shown(command) || readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
    return { pid: Number(pid), name, command };
  } catch {
    // No /proc: the port is in use all the same.
    return undefined;
  }
}

const SHOWN_CHARACTERS = 60;

/** A command line as a person knows it: the program without its folder, and as many arguments as fit. */
function shown(command: string): string {
  const [program = '', ...rest] = command.split('\0');
  const line = [basename(program), ...rest].join(' ').trim();
  return line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}…` : line;
}

// proc(5), /proc/net/tcp: local address is the second field, 0A is TCP_LISTEN, the tenth is the socket's inode.
const LISTEN = '0A';

function listeningInodes(table: string, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return readFileSync(`/proc/net/${table}`, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(`:${hex}`) === true && fields[3] === LISTEN)
    .map((fields) => fields[9] ?? '');
}

function holdsOne(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const match = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`));
      return match?.[1] !== undefined && inodes.has(match[1]);
    });
  } catch {
    // The process has ended, or is not ours to look at.
    return false;
  }
}
