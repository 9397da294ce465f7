// Stands in for `tutti proxy` in the agent's tests: answers on the admin address of its bootstrap, and notes what it was
// told in `heard` beside it, one word a line: started, drained, stopped, succeeded. `hold` there holds it back from being ready. With
// `can-hand-over` there it lets a successor have its admin port, and ends when `leave` is there too.
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, createServer as createNetServer } from 'node:net';
import { dirname, join } from 'node:path';

const path = process.argv[process.argv.indexOf('--bootstrap') + 1] ?? '';
const { admin, stateFolder } = JSON.parse(readFileSync(path, 'utf8')) as {
  admin: { address: string; port: number };
  stateFolder: string;
};
const hear = (what: string): void => appendFileSync(join(dirname(path), 'heard'), `${what} ${Date.now()}\n`);
const isHeldBack = (): boolean => existsSync(join(dirname(path), 'hold'));

const server = createServer((request, response) => {
  response.setHeader('x-tutti-process', String(process.pid));
  if (request.url === '/ready') response.writeHead(isHeldBack() ? 503 : 200).end();
  else if (request.url?.startsWith('/drain') === true) {
    hear('drained');
    response.end('drained');
  } else response.writeHead(404).end();
});
const folder = dirname(path);
const canHandOver = (): boolean => existsSync(join(folder, 'can-hand-over'));
const restart = join(stateFolder, 'restart.sock');

/** As proxy/restart/, but that sockets are closed and bound again. */
async function succeed(): Promise<void> {
  if (!process.argv.includes('--hot-restart') || !existsSync(restart)) return;
  await new Promise<void>((resolve) => {
    const socket = connect(restart, () => socket.end('ready'));
    socket.on('error', () => resolve()).on('close', () => resolve());
    socket.resume();
  });
}

function awaitSuccessor(): void {
  mkdirSync(stateFolder, { recursive: true });
  rmSync(restart, { force: true });
  const waiting = createNetServer((socket) => {
    socket.on('data', () => {
      hear('succeeded');
      waiting.close();
      server.close(() => socket.end());
      server.closeAllConnections();
      setInterval(() => existsSync(join(folder, 'leave')) && process.exit(0), 10);
    });
  });
  waiting.listen(restart);
}

await succeed();
server.listen(admin.port, admin.address, () => hear('started'));
const looking = setInterval(() => {
  if (!canHandOver()) return;
  clearInterval(looking);
  awaitSuccessor();
}, 10);
process.on('SIGTERM', () => {
  hear('stopped');
  process.exit(0);
});
