import { reviews } from './reviews.ts';
import { serve } from './service.ts';

interface Summary {
  readonly count: number;
  /** 1 to 5, one decimal. */
  readonly average: number;
  readonly latest: { readonly author: string; readonly text: string } | undefined;
}

function summaryOf(product: string): Summary {
  const own = reviews.filter((review) => review.product === product);
  const sum = own.reduce((total, { stars }) => total + stars, 0);
  const [latest] = own;
  return {
    count: own.length,
    average: own.length === 0 ? 0 : Math.round((sum / own.length) * 10) / 10,
    latest: latest && { author: latest.author, text: latest.text },
  };
}

serve({
  name: 'reviews',
  version: 'v1',
  routes: {
    // ?product=a&product=b, or all products.
    'GET /summaries': ({ url }) => {
      const asked = url.searchParams.getAll('product');
      const products = asked.length > 0 ? asked : [...new Set(reviews.map(({ product }) => product))];
      return { json: { summaries: Object.fromEntries(products.map((product) => [product, summaryOf(product)])) } };
    },
    'GET /reviews': ({ url }) => {
      const product = url.searchParams.get('product');
      return { json: { reviews: reviews.filter((review) => product === null || review.product === product) } };
    },
  },
});
