/*
 * What may be a name (k8s.io/apimachinery/pkg/util/validation/validation.go). Each rule returns what is wrong, in
 * Kubernetes' words; nothing for a good name.
 */

export type NameRule = (name: string) => readonly string[];

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE = `(${QUALIFIED})?`;
const CONFIG_KEY = '[-._a-zA-Z0-9]+';
const ENV_NAME = '[ -<>-~]+';

const label = rule(
  LABEL,
  63,
  `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${LABEL}')`,
);

/** DNS label: Namespaces, containers, ports' names. */
export const dnsLabel: NameRule = (name) => {
  const errors = label(name);
  const onlyDots = errors.length > 0 && name.length <= 63 && SUBDOMAIN_SHAPE.test(name);
  return onlyDots ? ['must not contain dots'] : errors;
};

const SUBDOMAIN_SHAPE = new RegExp(`^(?:${SUBDOMAIN})$`);

/** DNS subdomain: most objects. */
export const dnsSubdomain = rule(
  SUBDOMAIN,
  253,
  `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${SUBDOMAIN}')`,
);

/** RFC 1035 label: starts with a letter. */
export const dns1035Label = rule(
  LABEL_1035,
  63,
  `a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '${LABEL_1035}')`,
);

export const labelValue = rule(
  LABEL_VALUE,
  63,
  `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '${LABEL_VALUE}')`,
);

const configKeyShape = rule(
  CONFIG_KEY,
  253,
  `a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '${CONFIG_KEY}')`,
);

/** Keys of ConfigMaps and Secrets: they become file names. */
export const configKey: NameRule = (name) => [...configKeyShape(name), ...aboveErrors(name)];

/** hasChDirPrefix: what leads out of a folder. */
function aboveErrors(name: string): readonly string[] {
  if (name === '.' || name === '..') return [`must not be '${name}'`];
  return name.startsWith('..') ? ["must not start with '..'"] : [];
}

export const environmentName = rule(
  ENV_NAME,
  32_768,
  "a valid environment variable name must consist only of printable ASCII characters other than '='",
);

const qualifiedPart = rule(
  QUALIFIED,
  63,
  `name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${QUALIFIED}')`,
);

/** Keys of labels and annotations: `name` or `prefix.example/name`. */
export const qualifiedName: NameRule = (name) => {
  const parts = name.split('/');
  if (parts.length > 2) {
    return [
      `a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${QUALIFIED}') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const [prefix, local] = parts.length === 2 ? [parts[0] ?? '', parts[1] ?? ''] : [undefined, name];
  const aboutPrefix = prefix === '' ? ['must be non-empty'] : prefix === undefined ? [] : dnsSubdomain(prefix);
  return [
    ...aboutPrefix.map((words) => `prefix part ${words}`),
    ...(local === '' ? ['name part must be non-empty'] : []),
    ...qualifiedPart(local),
  ];
};

/** Names of container ports and of Service target ports (IANA_SVC_NAME, RFC 6335 section 5.1). */
export const portName: NameRule = (name) => [
  ...(name.length > 15 ? ['must be no more than 15 characters'] : []),
  ...(/^[-a-z0-9]+$/.test(name) ? [] : ['must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)']),
  ...(/[a-z]/.test(name) ? [] : ['must contain at least one letter (a-z)']),
  ...(name.includes('--') ? ['must not contain consecutive hyphens'] : []),
  ...(name.startsWith('-') || name.endsWith('-') ? ['must not begin or end with a hyphen'] : []),
];

export const portNumber = (port: number): readonly string[] =>
  Number.isInteger(port) && port >= 1 && port <= 65_535 ? [] : ['must be between 1 and 65535, inclusive'];

/** What can stand in a path at all (IsValidPathSegmentName): the rule for names that no other rule is for. */
export const pathSegment: NameRule = (name) => [
  ...(name === '.' || name === '..' ? [`may not be '${name}'`] : []),
  ...['/', '%'].filter((part) => name.includes(part)).map((part) => `may not contain '${part}'`),
];

/** User and group ids (IsValidUserID). */
export const userId = (id: number): readonly string[] =>
  Number.isInteger(id) && id >= 0 && id <= 2_147_483_647 ? [] : ['must be between 0 and 2147483647, inclusive'];

/** An address, of either family. */
export const ipAddress: NameRule = (text) =>
  isIpv4(text) || isIpv6(text) ? [] : ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'];

export function isIpv4(text: string): boolean {
  const octets = text.split('.');
  return octets.length === 4 && octets.every((octet) => /^(?:0|[1-9]\d{0,2})$/.test(octet) && Number(octet) <= 255);
}

export function isIpv6(text: string): boolean {
  const [head = '', tail, ...more] = text.split('::');
  if (more.length > 0 || !text.includes(':')) return false;
  const groups = [head, tail ?? ''].flatMap((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1) ?? '';
  const mapped = isIpv4(last);
  const hex = mapped ? groups.slice(0, -1) : groups;
  const count = hex.length + (mapped ? 2 : 0);
  return hex.every((group) => /^[0-9a-f]{1,4}$/i.test(group)) && (tail === undefined ? count === 8 : count < 8);
}

function rule(pattern: string, maxLength: number, message: string): NameRule {
  const regex = new RegExp(`^(?:${pattern})$`);
  return (name) => [
    ...(name.length > maxLength ? [`must be no more than ${maxLength} characters`] : []),
    ...(regex.test(name) ? [] : [message]),
  ];
}
