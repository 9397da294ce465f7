/*
 * What may be a name (k8s.io/apimachinery/pkg/util/validation/validation.go). Each rule returns what is wrong, in
 * Kubernetes' words, or undefined.
 */

export type NameRule = (name: string) => string | undefined;

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE = `(${QUALIFIED})?`;
const CONFIG_KEY = '[-._a-zA-Z0-9]+';
const ENV_NAME = '[ -<>-~]+';

/** DNS label: Namespaces, containers, ports' names. */
export const dnsLabel = rule(
  LABEL,
  63,
  `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${LABEL}')`,
);

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

/** Keys of ConfigMaps and Secrets: they become file names. */
export const configKey: NameRule = (name) => {
  const shape = rule(
    CONFIG_KEY,
    253,
    `a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '${CONFIG_KEY}')`,
  )(name);
  if (shape !== undefined) return shape;
  return name === '.' || name === '..' || name.startsWith('..') ? "must not start with '..'" : undefined;
};

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
    return `a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${QUALIFIED}') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`;
  }
  const [prefix, local] = parts.length === 2 ? [parts[0] ?? '', parts[1] ?? ''] : [undefined, name];
  if (prefix === '') return 'prefix part must be non-empty';
  const wrongPrefix = prefix === undefined ? undefined : dnsSubdomain(prefix);
  if (wrongPrefix !== undefined) return `prefix part ${wrongPrefix}`;
  return local === '' ? 'name part must be non-empty' : qualifiedPart(local);
};

/** Names of container ports and of Service target ports (IANA_SVC_NAME, RFC 6335 section 5.1). */
export const portName: NameRule = (name) => {
  if (name.length > 15) return 'must be no more than 15 characters';
  if (!/^[-a-z0-9]+$/.test(name)) return 'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)';
  if (!/[a-z]/.test(name)) return 'must contain at least one letter (a-z)';
  if (name.includes('--')) return 'must not contain consecutive hyphens';
  return name.startsWith('-') || name.endsWith('-') ? 'must not begin or end with a hyphen' : undefined;
};

export const portNumber = (port: number): string | undefined =>
  Number.isInteger(port) && port >= 1 && port <= 65_535 ? undefined : 'must be between 1 and 65535, inclusive';

function rule(pattern: string, maxLength: number, message: string): NameRule {
  const regex = new RegExp(`^(?:${pattern})$`);
  return (name) => {
    if (name.length > maxLength) return `must be no more than ${maxLength} characters`;
    return regex.test(name) ? undefined : message;
  };
}
