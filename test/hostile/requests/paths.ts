import { type HostileRequest, refused, taken, target } from '../hostile-request.ts';

const POLICY = 'proxy/http1/request-path.ts; RFC 3986 5.2.4, 6.2.2';
const path = (given: string, seen: string, more = {}): HostileRequest =>
  taken(`path ${given}`, POLICY, target(given), [`GET ${seen} `], more);

/** The one policy for paths: what is matched is what is forwarded, whatever an encoding tries to hide. */
export const PATHS: readonly HostileRequest[] = [
  path('/a/../b', '/b'),
  path('/a/./b', '/a/b'),
  path('/../../etc/passwd', '/etc/passwd', {
    laxerThan: {
      nginx: 'what climbs above the root is resolved to the root (RFC 3986 5.2.4), and goes on in that form',
    },
  }),
  path('/a/%2e%2e/b', '/b'),
  path('/a/.%2E/b', '/b'),
  path('/a/..', '/'),
  path('/a/..?x=/../y', '/?x=/../y'),
  path('//a//b', '//a//b'),
  path('/a/..//b', '//b'),
  path('/a%2fb', '/a%2fb'),
  path('/a%2f..%2fb', '/a%2f..%2fb'),
  path('/a%5c..%5cb', '/a%5c..%5cb'),
  path('/a;x=1/b', '/a;x=1/b'),
  path('/a/..;/b', '/a/..;/b'),
  path('/%41', '/%41'),
  path('/...', '/...'),
  path('/a%252e%252e/b', '/a%252e%252e/b'),
  ...[
    '/%00',
    '/a%00.png',
    '/%',
    '/%2',
    '/%zz',
    '/a%2',
    '/%c0%af',
    '/%c0%ae%c0%ae/',
    '/%c1%9c',
    '/%e0%80%af',
    '/%f0%80%80%af',
    '/%u002e',
  ].map((given) => refused(`path ${given}`, `${POLICY}; RFC 3629 3`, target(given))),
];
