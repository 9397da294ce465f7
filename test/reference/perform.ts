import type { Dispatcher } from 'undici';
import { parse } from 'yaml';
import type { Answer, Answers, Call, Case } from './case.ts';
import { type ReferenceServer, send } from './server.ts';

/** Puts a case to a server: its namespace first, then its calls in order. Answers are as they came. */
export async function perform(server: ReferenceServer, { name, calls }: Case): Promise<Answers> {
  const fill = (text: string, answers: Answers): string =>
    text
      .replaceAll('$ns', name)
      .replaceAll(/\$\((\d+)\.([\w.]+)\)/g, (_, index: string, path: string) =>
        String(valueAt(answers[Number(index)]?.body, path)),
      );
  if (JSON.stringify(calls).includes('$ns')) await makeNamespace(server, name);
  const answers: Answer[] = [];
  for (const call of calls) answers.push(await answerTo(server, call, (text) => fill(text, answers)));
  return answers;
}

/** With the ServiceAccount that a controller would make: pods need it, and these want no token. */
async function makeNamespace(server: ReferenceServer, name: string): Promise<void> {
  const create = async (path: string, body: object): Promise<void> => {
    const answer = await send(server, { method: 'POST', path, headers: JSON_HEADERS, body: JSON.stringify(body) });
    const text = await answer.body.text();
    if (answer.statusCode !== 201) throw new Error(`namespace ${name}: ${answer.statusCode} ${text}`);
  };
  await create('/api/v1/namespaces', { metadata: { name } });
  await create(`/api/v1/namespaces/${name}/serviceaccounts`, {
    metadata: { name: 'default' },
    automountServiceAccountToken: false,
  });
}

const JSON_HEADERS = { 'content-type': 'application/json' };

async function answerTo(server: ReferenceServer, call: Call, fill: (text: string) => string): Promise<Answer> {
  const body = bodyText(call.body);
  const headers = {
    ...(call.accept === undefined ? { accept: 'application/json' } : { accept: call.accept }),
    ...(body === undefined ? {} : { 'content-type': call.type ?? 'application/json' }),
    ...call.headers,
  };
  const leave = new AbortController();
  const answer = await send(server, {
    method: call.method,
    path: fill(call.path),
    headers,
    body: body === undefined ? undefined : fill(body),
    signal: leave.signal,
  });
  const head = { code: answer.statusCode, ...typeOf(answer), ...warningsOf(answer) };
  if (call.events === undefined || answer.statusCode !== 200) {
    return { ...head, ...bodyOf(await answer.body.text(), head.type) };
  }
  const events = await readEvents(answer.body, call.events);
  leave.abort();
  return { ...head, events };
}

function bodyText(body: unknown): string | undefined {
  return body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
}

function bodyOf(text: string, type: string | undefined): { body?: unknown } {
  if (text === '') return {};
  if (type === 'application/yaml') return { body: parse(text) as unknown };
  try {
    return { body: JSON.parse(text) as unknown };
  } catch {
    // A watch that has ended by itself.
    if (text.startsWith('{"type":')) {
      return {
        body: text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as unknown),
      };
    }
    return { body: text };
  }
}

function typeOf({ headers }: Dispatcher.ResponseData): { type?: string } {
  const type = String(headers['content-type'] ?? '').split(';')[0] ?? '';
  return type === 'application/json' || type === '' ? {} : { type };
}

/** Without the agent's name before and the date after: `299 - "unknown field \"spec.x\""`. */
function warningsOf({ headers }: Dispatcher.ResponseData): { warnings?: readonly string[] } {
  const { warning } = headers;
  if (warning === undefined) return {};
  const all = Array.isArray(warning) ? warning : [warning];
  const texts = all.flatMap((value) =>
    [...value.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text.replaceAll(/\\(.)/g, '$1')),
  );
  return { warnings: texts };
}

/** Waits for as many events as asked; undici's body time-out bounds it. */
async function readEvents(body: Dispatcher.ResponseData['body'], count: number): Promise<readonly unknown[]> {
  const events: unknown[] = [];
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    events.push(...lines.filter((line) => line !== '').map((line) => JSON.parse(line) as unknown));
    if (events.length >= count) break;
  }
  if (events.length < count && rest !== '') events.push(JSON.parse(rest));
  return events.slice(0, count);
}

function valueAt(body: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, step) => (value as Readonly<Record<string, unknown>> | undefined)?.[step], body);
}
