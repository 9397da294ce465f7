import { mark, picture, staff } from './art.ts';
import type { Answer } from './backend.ts';
import { html, Markup } from './html.ts';
import { style } from './style.ts';

export interface Product {
  readonly id: string;
  readonly name: string;
  readonly text: string;
  readonly priceCents: number;
  readonly wasCents?: number;
  readonly badge?: string;
}

export interface ReviewSummary {
  readonly count: number;
  readonly average: number;
  readonly latest?: { readonly author: string; readonly text: string };
}

export interface CartContents {
  readonly items: readonly { readonly product: string; readonly quantity: number }[];
  readonly count: number;
}

export interface Page {
  readonly shopName: string;
  readonly currency: string;
  readonly banner: string;
  /** Allows the page's own style and script, and no other. */
  readonly nonce: string;
  readonly frontend: { readonly version: string; readonly replica: string };
  readonly catalog: Answer<{ readonly products: readonly Product[] }>;
  readonly reviews: Answer<{ readonly summaries: Readonly<Record<string, ReviewSummary>> }>;
  readonly cart: Answer<CartContents>;
}

export function renderPage(page: Page): string {
  const { shopName, banner, nonce, catalog } = page;
  const products = catalog.ok ? catalog.value.products : [];
  return `<!doctype html>${
    html`<html lang="en"><head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="Small instruments, for people who play a little and listen a lot.">
<title>${shopName}: small instruments</title>
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(ICON)}">
<style nonce="${nonce}">${new Markup(style)}</style></head>
<body>
${banner === '' ? undefined : html`<div class="banner">${banner}</div>`}
<header class="wrap">
  <a class="logo" href="/">${mark}${shopName}</a>
  ${versionBadge(page)}
  ${cartPanel(page)}
</header>
<section class="hero"><div class="wrap">
  <h1>Small instruments for <em>whole</em> afternoons.</h1>
  <p>Things that fit in a coat pocket and fill a room. Everything here can be learnt in an hour and played for the rest of your life.</p>
</div>${staff}</section>
<main class="wrap">
  <div class="shelf"><h2>On the shelf</h2><span>${products.length === 0 ? 'nothing just now' : `${products.length} instruments`}</span></div>
  ${
    catalog.ok
      ? html`<ul class="grid">${products.map((product) => card(page, product))}</ul>`
      : html`<div class="notice"><h3>The shelf is being tuned.</h3><p>Our catalog does not answer just now. Try again in a moment.</p></div>`
  }
</main>
${servedBy(page)}
<script nonce="${nonce}">${new Markup(SCRIPT)}</script>
</body></html>`.text
  }`;
}

const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><path d="M6 34a18 18 0 0 1 36 0" fill="none" stroke="#1d1b33" stroke-width="6" stroke-linecap="round"/><circle cx="24" cy="34" r="5" fill="#e2492f"/></svg>';

function versionBadge({ catalog }: Page): Markup {
  if (!catalog.ok) return html`<span class="version down" title="${catalog.reason}"><i>catalog</i> away</span>`;
  const { version, replica } = catalog;
  return html`<span class="version ${version}" title="answered by ${replica}"><i>catalog</i> ${version}</span>`;
}

function cartPanel(page: Page): Markup {
  const { cart } = page;
  const count = cart.ok ? String(cart.value.count) : '–';
  return html`<details class="cart"><summary>Cart <span class="count" id="count" aria-live="polite">${count}</span></summary>
  <div class="panel" id="panel">${renderCart(page)}</div></details>`;
}

/** The inside of the cart's panel; the page's script puts it in again when something was added. */
export function renderCart({ cart, catalog, currency }: Pick<Page, 'cart' | 'catalog' | 'currency'>): Markup {
  if (!cart.ok) return html`<p class="quiet">The cart does not answer just now.</p>`;
  if (cart.value.count === 0) return html`<p class="quiet">Nothing yet. A tuning fork is always a good start.</p>`;
  const products = new Map((catalog.ok ? catalog.value.products : []).map((product) => [product.id, product]));
  const total = cart.value.items.reduce(
    (sum, { product, quantity }) => sum + quantity * (products.get(product)?.priceCents ?? 0),
    0,
  );
  return html`<ul>${cart.value.items.map(({ product, quantity }) => {
    const known = products.get(product);
    const price = known === undefined ? '–' : money(known.priceCents * quantity, currency);
    return html`<li><span>${quantity} ×</span><span>${known?.name ?? product}</span><span>${price}</span></li>`;
  })}</ul><div class="total"><span>Total</span><span>${money(total, currency)}</span></div>
  <form method="post" action="/cart/clear"><button>Empty the cart</button></form>`;
}

function card({ reviews, cart, currency }: Page, { id, name, text, priceCents, wasCents, badge }: Product): Markup {
  const { tile, svg } = picture(id, name);
  const summary = reviews.ok ? reviews.value.summaries[id] : undefined;
  return html`<li class="card" id="${id}">
  ${badge === undefined ? undefined : html`<span class="flag">${badge}</span>`}
  <div class="tile ${tile}">${svg}</div>
  <div class="body">
    <div class="title"><h3>${name}</h3><span class="price">${
      wasCents === undefined ? undefined : html`<s>${money(wasCents, currency)}</s>`
    }${money(priceCents, currency)}</span></div>
    <p>${text}</p>
    ${opinion(reviews.ok, summary)}
    <form method="post" action="/cart" data-add><input type="hidden" name="product" value="${id}">
      <button ${cart.ok ? undefined : new Markup('disabled')}>${cart.ok ? 'Add to cart' : 'Cart is away'}</button></form>
  </div></li>`;
}

function opinion(known: boolean, summary: ReviewSummary | undefined): Markup {
  if (!known) return html`<div class="stars">Reviews are away just now.</div>`;
  if (summary === undefined || summary.count === 0) return html`<div class="stars">No reviews yet. Be the first.</div>`;
  const { average, count, latest } = summary;
  return html`<div class="stars"><span class="rating" style="--share:${average * 20}%" role="img" aria-label="${average} of 5 stars">★★★★★</span>${average.toFixed(1)} · ${count} ${count === 1 ? 'review' : 'reviews'}</div>
  ${latest === undefined ? undefined : html`<blockquote>${latest.text}<footer>${latest.author}</footer></blockquote>`}`;
}

function servedBy({ frontend, catalog, reviews, cart }: Page): Markup {
  const own = html`<li><b>frontend ${frontend.version}</b>${frontend.replica}</li>`;
  const others = [catalog, reviews, cart].map((answer) =>
    answer.ok
      ? html`<li><b>${answer.service} ${answer.version}</b>${answer.replica}<br>${answer.ms} ms</li>`
      : html`<li class="down"><b>${answer.service}</b>${answer.reason}</li>`,
  );
  return html`<footer class="served"><div class="wrap"><h2>Played for you by</h2><ul>${own}${others}</ul></div></footer>`;
}

function money(cents: number, currency: string): string {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).format(cents / 100);
}

/** Adds to the cart without leaving the page. Without it the forms work all the same. */
const SCRIPT = `
for (const form of document.querySelectorAll('form[data-add]')) form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = form.querySelector('button');
  try {
    const response = await fetch('/cart', { method: 'POST', headers: { accept: 'application/json' }, body: new URLSearchParams(new FormData(form)) });
    if (!response.ok) throw new Error(String(response.status));
    const { count, panel } = await response.json();
    const badge = document.getElementById('count');
    badge.textContent = count;
    badge.classList.remove('bump'); void badge.offsetWidth; badge.classList.add('bump');
    document.getElementById('panel').innerHTML = panel;
    button.textContent = 'Added';
  } catch { button.textContent = 'Not added: try again'; }
  setTimeout(() => { button.textContent = 'Add to cart'; }, 1600);
});
`;
