/** What a browser sends: enough fields that a scanner's cost is that of a real request. */
export const REQUEST = [
  'GET /api/v1/products?category=shoes&page=2 HTTP/1.1',
  'Host: shop.example',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Accept: application/json',
  'Accept-Language: en-US,en;q=0.5',
  'Accept-Encoding: gzip, deflate, br',
  'Connection: keep-alive',
  'Cookie: session=4f9a0d1c8b7e6f5a',
  '\r\n',
].join('\r\n');

export const RESPONSE = [
  'HTTP/1.1 200 OK',
  'Server: app',
  'Content-Type: application/json',
  'Content-Length: 100',
  'Cache-Control: no-store',
  'Date: Thu, 01 Jan 2026 00:00:00 GMT',
  '\r\n',
].join('\r\n');
