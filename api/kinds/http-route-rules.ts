import { durationMs } from '../meta/duration.ts';
import { fieldDuplicate, fieldInvalid } from '../meta/field-error.ts';
import type { FieldError } from '../meta/status.ts';
import { brokenRules } from './custom-rules.ts';
import type { HttpRoute, HttpRouteMatch, HttpRouteRule } from './http-route.ts';
import { FILTER_FIELDS, type HttpPathModifier, type HttpRouteFilter } from './http-route-filter.ts';

type Parent = NonNullable<HttpRoute['spec']['parentRefs']>[number];

/** The CEL rules of HTTPRoute (apis/v1/httproute_types.go of kubernetes-sigs/gateway-api), at the places that they stand at. */
export function validateHttpRoute({ spec }: HttpRoute): readonly FieldError[] {
  const names = spec.rules.flatMap(({ name }) => name ?? []);
  return [
    ...parentErrors(spec.parentRefs ?? []),
    ...brokenRules('spec.rules', 'array', [
      [new Set(names).size < names.length, 'Rule name must be unique within the route'],
    ]),
    ...spec.rules.flatMap((rule, index) => ruleErrors(rule, `spec.rules[${index}]`)),
  ];
}

/** Of two references to one parent each says which part of it. */
export function parentErrors(parents: readonly Parent[]): readonly FieldError[] {
  const parentOf = ({ group, kind, namespace = '', name }: Parent): string =>
    JSON.stringify([group, kind, namespace, name]);
  const partOf = ({ sectionName = '', port = 0 }: Parent): string => JSON.stringify([sectionName, port]);
  const isWhole = (parent: Parent): boolean => partOf(parent) === '["",0]';
  const pairs = parents.flatMap((first, index) =>
    parents
      .slice(index + 1)
      .filter((second) => parentOf(second) === parentOf(first))
      .map((second) => [first, second] as const),
  );
  const which = 'when parentRefs includes 2 or more references to the same parent';
  return brokenRules('spec.parentRefs', 'array', [
    [
      pairs.some(([first, second]) => isWhole(first) !== isWhole(second)),
      `sectionName or port must be specified ${which}`,
    ],
    [pairs.some(([first, second]) => partOf(first) === partOf(second)), `sectionName or port must be unique ${which}`],
  ]);
}

function ruleErrors(rule: HttpRouteRule, field: string): readonly FieldError[] {
  const { matches, filters = [], backendRefs = [], timeouts, sessionPersistence: session } = rule;
  const prefixed = matches.length === 1 && matches[0]?.path.type === 'PathPrefix';
  const replaces = (list: readonly HttpRouteFilter[], of: 'requestRedirect' | 'urlRewrite'): boolean =>
    list.filter((filter) => filter[of]?.path?.replacePrefixMatch !== undefined).length === 1;
  const inside = backendRefs.flatMap((backend) => backend.filters ?? []);
  const one = 'with path.replacePrefixMatch, exactly one PathPrefix match must be specified';
  return [
    ...brokenRules(field, 'object', [
      [
        backendRefs.length > 0 && filters.some(({ requestRedirect }) => requestRedirect !== undefined),
        'RequestRedirect filter must not be used together with backendRefs',
      ],
      [replaces(filters, 'requestRedirect') && !prefixed, `When using RequestRedirect filter ${one}`],
      [replaces(filters, 'urlRewrite') && !prefixed, `When using URLRewrite filter ${one}`],
      [
        replaces(inside, 'requestRedirect') && !prefixed,
        `Within backendRefs, when using RequestRedirect filter ${one}`,
      ],
      [replaces(inside, 'urlRewrite') && !prefixed, `Within backendRefs, When using URLRewrite filter ${one}`],
    ]),
    ...matches.flatMap((match, index) => matchErrors(match, `${field}.matches[${index}]`)),
    ...filterErrors(filters, `${field}.filters`),
    ...backendRefs.flatMap((backend, index) => [
      ...serviceErrors(backend, `${field}.backendRefs[${index}]`),
      ...filterErrors(backend.filters ?? [], `${field}.backendRefs[${index}].filters`),
    ]),
    ...brokenRules(`${field}.timeouts`, 'object', [
      [isLonger(timeouts), 'backendRequest timeout cannot be longer than request timeout'],
    ]),
    ...brokenRules(`${field}.sessionPersistence`, 'object', [
      [
        session?.cookieConfig?.lifetimeType === 'Permanent' && session.absoluteTimeout === undefined,
        'AbsoluteTimeout must be specified when cookie lifetimeType is Permanent',
      ],
      [
        session?.cookieConfig !== undefined && session.type !== 'Cookie',
        'cookieConfig can only be set with type Cookie',
      ],
    ]),
  ];
}

/** One try can't take longer than the whole (GEP-1742). 0s is no limit. */
function isLonger({ request, backendRequest }: HttpRouteRule['timeouts'] = {}): boolean {
  if (request === undefined || backendRequest === undefined) return false;
  return durationMs(request) !== 0 && durationMs(backendRequest) > durationMs(request);
}

function matchErrors({ path, headers = [], queryParams = [] }: HttpRouteMatch, field: string): readonly FieldError[] {
  return [
    ...pathErrors(path, `${field}.path`),
    ...repeatedNames(headers, `${field}.headers`),
    ...repeatedNames(queryParams, `${field}.queryParams`),
  ];
}

/** Items of a list are told apart by their names, as they are written. */
function repeatedNames(list: readonly { readonly name: string }[] | undefined, field: string): readonly FieldError[] {
  return (list ?? []).flatMap(({ name }, index) =>
    (list ?? []).findIndex((other) => other.name === name) < index
      ? [fieldDuplicate(`${field}[${index}]`, { name })]
      : [],
  );
}

const PATH = String.raw`^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$`;
const PATH_SHAPE = new RegExp(PATH);

function pathErrors({ type, value }: HttpRouteMatch['path'], field: string): readonly FieldError[] {
  if (type === 'RegularExpression') return [];
  const plain = "when type one of ['Exact', 'PathPrefix']";
  return brokenRules(field, 'object', [
    [!value.startsWith('/'), `value must be an absolute path and start with '/' ${plain}`],
    ...['//', '/./', '/../', '%2f', '%2F', '#'].map(
      (part) => [value.includes(part), `must not contain '${part}' ${plain}`] as const,
    ),
    ...['/..', '/.'].map((part) => [value.endsWith(part), `must not end with '${part}' ${plain}`] as const),
    [
      !PATH_SHAPE.test(value),
      `must only contain valid characters (matching ${PATH}) for types ['Exact', 'PathPrefix']`,
    ],
  ]);
}

const REPEATABLE = ['RequestMirror', 'ExtensionRef'];

function filterErrors(filters: readonly HttpRouteFilter[], field: string): readonly FieldError[] {
  const types = filters.map(({ type }) => type);
  const repeated = [...new Set(types)].filter(
    (type) => !REPEATABLE.includes(type) && types.indexOf(type) !== types.lastIndexOf(type),
  );
  return [
    ...brokenRules(field, 'array', [
      [
        types.includes('RequestRedirect') && types.includes('URLRewrite'),
        'May specify either httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite, but not both',
      ],
      ...repeated.map((type) => [true, `${type} filter cannot be repeated`] as const),
    ]),
    ...filters.flatMap((filter, index) => oneFilterErrors(filter, `${field}[${index}]`)),
  ];
}

function oneFilterErrors(filter: HttpRouteFilter, field: string): readonly FieldError[] {
  const { requestHeaderModifier, responseHeaderModifier, requestMirror: mirror } = filter;
  return [
    ...brokenRules(
      field,
      'object',
      Object.entries(FILTER_FIELDS).flatMap(([type, name]) => [
        [
          filter[name] !== undefined && filter.type !== type,
          `filter.${name} must be nil if the filter.type is not ${type}`,
        ] as const,
        [
          filter[name] === undefined && filter.type === type,
          `filter.${name} must be specified for ${type} filter.type`,
        ] as const,
      ]),
    ),
    ...(['set', 'add'] as const).flatMap((list) => [
      ...repeatedNames(requestHeaderModifier?.[list], `${field}.requestHeaderModifier.${list}`),
      ...repeatedNames(responseHeaderModifier?.[list], `${field}.responseHeaderModifier.${list}`),
    ]),
    ...modifierErrors(filter.urlRewrite?.path, `${field}.urlRewrite.path`),
    ...modifierErrors(filter.requestRedirect?.path, `${field}.requestRedirect.path`),
    ...brokenRules(`${field}.requestMirror`, 'object', [
      [
        mirror?.percent !== undefined && mirror.fraction !== undefined,
        'Only one of percent or fraction may be specified in HTTPRequestMirrorFilter',
      ],
    ]),
    ...brokenRules(`${field}.requestMirror.fraction`, 'object', [
      [
        mirror?.fraction !== undefined && mirror.fraction.numerator > mirror.fraction.denominator,
        'numerator must be less than or equal to denominator',
      ],
    ]),
    ...(mirror === undefined ? [] : serviceErrors(mirror.backendRef, `${field}.requestMirror.backendRef`)),
  ];
}

function modifierErrors(path: HttpPathModifier | undefined, field: string): readonly FieldError[] {
  if (path === undefined) return [];
  const [whole, prefix] = [path.replaceFullPath !== undefined, path.replacePrefixMatch !== undefined];
  const isWhole = path.type === 'ReplaceFullPath';
  return brokenRules(field, 'object', [
    [isWhole && !whole, "replaceFullPath must be specified when type is set to 'ReplaceFullPath'"],
    [whole && !isWhole, "type must be 'ReplaceFullPath' when replaceFullPath is set"],
    [!isWhole && !prefix, "replacePrefixMatch must be specified when type is set to 'ReplacePrefixMatch'"],
    [prefix && isWhole, "type must be 'ReplacePrefixMatch' when replacePrefixMatch is set"],
  ]);
}

interface Backend {
  readonly group: string;
  readonly kind: string;
  readonly port?: number | undefined;
}

export function serviceErrors({ group, kind, port }: Backend, field: string): readonly FieldError[] {
  return group === '' && kind === 'Service' && port === undefined
    ? [fieldInvalid(field, 'object', 'Must have port for Service reference')]
    : [];
}
