import { readFileSync } from 'node:fs';

/** What the shop is told of itself: names from the environment, the banner from a mounted file that may change. */
export const config = {
  shopName: process.env['SHOP_NAME'] ?? 'Da Capo',
  currency: process.env['CURRENCY'] ?? 'EUR',
  catalogUrl: process.env['CATALOG_URL'] ?? 'http://catalog',
  reviewsUrl: process.env['REVIEWS_URL'] ?? 'http://reviews',
  cartUrl: process.env['CART_URL'] ?? 'http://cart',
} as const;

const bannerFile = process.env['BANNER_FILE'];

/** Read for every page: a changed ConfigMap shows without a restart. Empty where there is no file. */
export function readBanner(): string {
  if (bannerFile === undefined) return '';
  try {
    return readFileSync(bannerFile, 'utf8').trim();
  } catch {
    return '';
  }
}
