import { products, version } from './products.ts';
import { HttpError, serve } from './service.ts';

serve({
  name: 'catalog',
  version,
  routes: {
    'GET /products': () => ({ json: { products } }),
    'GET /product': ({ url }) => {
      const product = products.find(({ id }) => id === url.searchParams.get('id'));
      if (product === undefined) throw new HttpError(404, 'no such product');
      return { json: { product } };
    },
  },
});
