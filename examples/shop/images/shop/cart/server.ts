import { Carts } from './carts.ts';
import { HttpError, serve } from './service.ts';
import { newSession, readSession, sessionCookie } from './session.ts';

const key = process.env['SESSION_KEY'] ?? '';
if (key.length < 16) {
  process.stderr.write('cart: SESSION_KEY: missing or too short; set it to 16 characters or more\n');
  process.exit(1);
}

const carts = new Carts();

function contents(session: string | undefined): { items: readonly object[]; count: number } {
  const items = session === undefined ? [] : carts.items(session);
  return { items, count: items.reduce((sum, { quantity }) => sum + quantity, 0) };
}

function readJson(body: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch (error) {
    throw new HttpError(400, 'body: not JSON', { cause: error });
  }
  throw new HttpError(400, 'body: not an object');
}

serve({
  name: 'cart',
  version: 'v1',
  routes: {
    'GET /cart': ({ headers }) => ({ json: contents(readSession(headers.cookie, key)) }),
    'POST /cart/items': ({ headers, body }) => {
      const { product, quantity = 1 } = readJson(body);
      if (typeof product !== 'string' || !/^[a-z-]{1,40}$/.test(product))
        throw new HttpError(400, 'product: not a name');
      if (!Number.isInteger(quantity)) throw new HttpError(400, 'quantity: not a whole number');
      const known = readSession(headers.cookie, key);
      const session = known ?? newSession();
      carts.add(session, product, Number(quantity));
      return {
        status: 201,
        json: contents(session),
        ...(known === undefined ? { headers: { 'set-cookie': sessionCookie(session, key) } } : {}),
      };
    },
    'POST /cart/clear': ({ headers }) => {
      const session = readSession(headers.cookie, key);
      if (session !== undefined) carts.clear(session);
      return { json: contents(session) };
    },
  },
});
