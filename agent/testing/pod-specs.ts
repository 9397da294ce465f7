/** Parts of pods that the agent's tests run. */

/** Answers HTTP on its port with its pid; 500 when the file it is told of exists; says what it is told to end with. */
const SERVER = `
const { createServer } = require('node:http');
const { existsSync } = require('node:fs');
createServer((request, response) => {
  const broken = process.env.BROKEN_FILE;
  response.writeHead(broken !== undefined && existsSync(broken) ? 500 : 200).end(String(process.pid));
}).listen(process.env.PORT, '127.0.0.1', () => console.log('up ' + process.pid));
process.on('SIGTERM', () => { console.log('told to end'); process.exit(0); });
`;

export function serverContainer(more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    name: 'app',
    image: 'none',
    command: ['node', '-e', SERVER],
    ports: [{ name: 'http', containerPort: 8080 }],
    readinessProbe: { httpGet: { port: 'http' } },
    ...more,
  };
}

export function shellContainer(script: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { name: 'app', image: 'none', command: ['/bin/sh', '-c', script], ...more };
}
