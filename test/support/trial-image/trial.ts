// An app that does what it is told, for tests of what the mesh does about it. Knows nothing of the mesh.
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

const { env } = process;
const told = (name: string): boolean => env[name] !== undefined;

if (told('EXIT_AT_ONCE')) {
  console.log('cannot go on: it was told to end');
  process.exit(Number(env['EXIT_AT_ONCE']));
}
if (told('IGNORE_TERM')) process.on('SIGTERM', () => console.log('told to end, and does not'));
else process.on('SIGTERM', () => process.exit(0));
// A child in a session of its own that outlives its parent, as daemons do.
if (told('DAEMON')) spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' }).unref();

/** Whether the file that a variable names is there. */
const isThere = (name: string): boolean => existsSync(env[name] ?? '/nowhere');

type Fault = 'break' | 'refuse' | 'silent';
let requests = 0;

/** What goes wrong with the next request: REFUSE_EVERY=3 refuses each third. */
function nextFault(): Fault | undefined {
  requests++;
  const isDue = (fault: Fault): boolean => requests % Number(env[`${fault.toUpperCase()}_EVERY`]) === 0;
  return (['break', 'refuse', 'silent'] as const).find(isDue);
}

/** Writes down that the app has seen a request. */
function note(method: string | undefined, id: string | null): void {
  if (id !== null) appendFileSync(env['COUNT_FILE'] ?? '/dev/null', `${method} ${id}\n`);
}

const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://trial');
  const answer = (status: number): void => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ pod: env['POD_NAME'], version: env['VERSION'], pid: process.pid }));
  };
  const work = (): void => {
    note(request.method, searchParams.get('id'));
    const fault = nextFault();
    if (fault === 'break') request.socket.resetAndDestroy();
    else if (fault === 'refuse' || isThere('REFUSE_FILE')) answer(503);
    else if (fault === 'silent') return;
    else if (searchParams.get('then') === 'die') process.kill(process.pid, 'SIGKILL');
    else if (pathname === '/bytes') response.end(Buffer.alloc(Number(searchParams.get('count')), 'x'));
    else setTimeout(() => answer(200), Number(searchParams.get('ms') ?? env['DELAY_MS'] ?? 0));
  };
  if (pathname === '/echo') {
    request.pipe(response);
    return;
  }
  request.resume().on('end', () => {
    if (pathname === '/ready') answer(isThere('UNREADY_FILE') ? 503 : 200);
    else if (pathname === '/alive') answer(isThere('DEAD_FILE') ? 500 : 200);
    else work();
  });
});
if (told('KEEP_ALIVE_MS')) server.keepAliveTimeout = Number(env['KEEP_ALIVE_MS']);
// After the handshake it sends back what it gets; the bytes need not be WebSocket frames for what is tested.
server.on('upgrade', (request, socket) => {
  socket.on('error', () => socket.destroy());
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: ${request.headers.upgrade}\r\nConnection: Upgrade\r\n\r\n`,
  );
  socket.pipe(socket);
});
server.listen(Number(env['PORT']), '127.0.0.1', () => console.log('listening'));
