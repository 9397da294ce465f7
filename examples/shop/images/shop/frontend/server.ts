import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type Answer, ask } from './backend.ts';
import { config, readBanner } from './config.ts';
import { type CartContents, type Product, type ReviewSummary, renderCart, renderPage } from './page.ts';
import { HttpError, type Reply, replica, serve } from './service.ts';

const VERSION = 'v1';

type Headers = IncomingHttpHeaders;

const askCatalog = (headers: Headers): Promise<Answer<{ readonly products: readonly Product[] }>> =>
  ask({ service: 'catalog', url: `${config.catalogUrl}/products`, headers });

const askReviews = (
  headers: Headers,
): Promise<Answer<{ readonly summaries: Readonly<Record<string, ReviewSummary>> }>> =>
  ask({ service: 'reviews', url: `${config.reviewsUrl}/summaries`, headers });

const askCart = (headers: Headers): Promise<Answer<CartContents>> =>
  ask({ service: 'cart', url: `${config.cartUrl}/cart`, headers });

async function page(headers: Headers): Promise<Reply> {
  const [catalog, reviews, cart] = await Promise.all([askCatalog(headers), askReviews(headers), askCart(headers)]);
  const nonce = randomBytes(12).toString('base64');
  const html = renderPage({
    shopName: config.shopName,
    currency: config.currency,
    banner: readBanner(),
    nonce,
    frontend: { version: VERSION, replica },
    catalog,
    reviews,
    cart,
  });
  const away = [catalog, reviews, cart].filter(({ ok }) => !ok).map(({ service }) => service);
  return {
    html,
    headers: {
      'cache-control': 'no-store',
      'content-security-policy': `default-src 'none'; style-src 'nonce-${nonce}'; style-src-attr 'unsafe-inline'; script-src 'nonce-${nonce}'; connect-src 'self'; form-action 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'`,
      'x-content-type-options': 'nosniff',
      ...(away.length === 0 ? {} : { 'x-degraded': away.join(', ') }),
    },
  };
}

async function addToCart(headers: Headers, body: string): Promise<Reply> {
  const product = new URLSearchParams(body).get('product') ?? '';
  const cart = await ask<CartContents>({
    service: 'cart',
    url: `${config.cartUrl}/cart/items`,
    headers,
    method: 'POST',
    json: { product, quantity: 1 },
  });
  if (!cart.ok) throw new HttpError(502, `cart: ${cart.reason}`);
  const cookie: Record<string, string> = cart.setCookie === undefined ? {} : { 'set-cookie': cart.setCookie };
  if (!wantsJson(headers)) return seeOther(`/#${encodeURIComponent(product)}`, cookie);
  const catalog = await askCatalog(headers);
  const panel = renderCart({ cart, catalog, currency: config.currency }).text;
  return { json: { count: cart.value.count, items: cart.value.items, panel }, headers: cookie };
}

async function clearCart(headers: Headers): Promise<Reply> {
  const cart = await ask({ service: 'cart', url: `${config.cartUrl}/cart/clear`, headers, method: 'POST', json: {} });
  if (!cart.ok) throw new HttpError(502, `cart: ${cart.reason}`);
  return seeOther('/', {});
}

/** The catalog's answer as it is, for programs: 502 when there is none. */
async function products(headers: Headers): Promise<Reply> {
  const catalog = await askCatalog(headers);
  if (!catalog.ok) throw new HttpError(502, `catalog: ${catalog.reason}`);
  const { version, replica: answeredBy, value } = catalog;
  return { json: { products: value.products, catalog: { version, replica: answeredBy } } };
}

function wantsJson({ accept = '' }: Headers): boolean {
  return accept.includes('application/json');
}

function seeOther(location: string, headers: Readonly<Record<string, string>>): Reply {
  return { status: 303, html: '', headers: { location, ...headers } };
}

serve({
  name: 'frontend',
  version: VERSION,
  routes: {
    'GET /': ({ headers }) => page(headers),
    'GET /api/products': ({ headers }) => products(headers),
    'POST /cart': ({ headers, body }) => addToCart(headers, body),
    'POST /cart/clear': ({ headers }) => clearCart(headers),
  },
});
