import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { eventually } from '../../proxy/test-support/harness.ts';
import { program } from '../support/programs.ts';

/** HAProxy with sections of a configuration, once it takes connections at a port. */
export function startHaproxy(folder: string, sections: string, port: number): Promise<AsyncDisposable> {
  const file = join(folder, `haproxy-${port}.cfg`);
  const times = '  timeout connect 5s\n  timeout client 30s\n  timeout server 30s';
  const text = `global\n  nbthread 1\ndefaults\n  mode tcp\n${times}\n${sections}\n`;
  return start(file, text, program('haproxy'), ['-db', '-q', '-f', file], port);
}

/** nginx with servers of HTTP. */
export function startNginx(folder: string, servers: string, port: number): Promise<AsyncDisposable> {
  const file = join(folder, `nginx-${port}.conf`);
  const log = join(folder, `nginx-${port}.log`);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const text = `daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${log} crit;
events {}
http { access_log off; ${temporary.join(' ')}
${servers}
}
`;
  return start(file, text, program('nginx'), ['-c', file, '-p', folder, '-e', log], port);
}

async function start(
  file: string,
  text: string,
  path: string,
  args: readonly string[],
  port: number,
): Promise<AsyncDisposable> {
  await writeFile(file, text);
  const child = spawn(path, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (data: Buffer) => void (said += data.toString()));
  let open = false;
  await eventually(() => {
    if (child.exitCode !== null) throw new Error(`${path} ended at its start: ${said}`);
    const probe = net.connect({ port, host: '127.0.0.1' });
    probe.on('connect', () => {
      open = true;
      probe.destroy();
    });
    probe.on('error', () => undefined);
    return open;
  }, `${path} takes connections`);
  return { [Symbol.asyncDispose]: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'close');
  child.kill('SIGKILL');
  await gone;
}
