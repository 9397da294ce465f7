// Stands in for `tutti proxy` in the agent's tests: answers on the admin address of its bootstrap, and notes what it was
// told in `heard` beside it, one word a line: started, drained, stopped. `ready-after` there holds it back from being ready.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';

const path = process.argv[process.argv.indexOf('--bootstrap') + 1] ?? '';
const { admin } = JSON.parse(readFileSync(path, 'utf8')) as { admin: { address: string; port: number } };
const hear = (what: string): void => appendFileSync(join(dirname(path), 'heard'), `${what} ${Date.now()}\n`);
const isHeldBack = (): boolean => existsSync(join(dirname(path), 'hold'));

const server = createServer((request, response) => {
  if (request.url === '/ready') response.writeHead(isHeldBack() ? 503 : 200).end();
  else if (request.url?.startsWith('/drain') === true) {
    hear('drained');
    response.end('drained');
  } else response.writeHead(404).end();
});
server.listen(admin.port, admin.address, () => hear('started'));
process.on('SIGTERM', () => {
  hear('stopped');
  process.exit(0);
});
