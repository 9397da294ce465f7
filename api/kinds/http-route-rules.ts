import { durationMs } from '../meta/duration.ts';
import { fieldDuplicate, fieldForbidden, fieldInvalid, fieldRequired } from '../meta/field-error.ts';
import type { FieldError } from '../meta/status.ts';
import type { HttpBackendRef, HttpRoute, HttpRouteMatch, HttpRouteRule } from './http-route.ts';
import { FILTER_FIELDS, type HttpRouteFilter } from './http-route-filter.ts';

/** The CEL rules of HTTPRoute (apis/v1/httproute_types.go), told at the field that breaks them. */
export function validateHttpRoute({ spec }: HttpRoute): readonly FieldError[] {
  return [
    ...parentErrors(spec.parentRefs ?? []),
    ...spec.rules.flatMap((rule, index) => ruleErrors(rule, `spec.rules[${index}]`)),
    ...ruleNameErrors(spec.rules),
  ];
}

function parentErrors(parents: NonNullable<HttpRoute['spec']['parentRefs']>): readonly FieldError[] {
  const places = parents.map(({ group, kind, namespace, name, sectionName, port }) =>
    JSON.stringify([group, kind, namespace ?? '', name, sectionName ?? '', port ?? 0]),
  );
  return places.flatMap((place, index) =>
    places.indexOf(place) < index
      ? [fieldInvalid(`spec.parentRefs[${index}]`, parents[index]?.name, 'parentRefs must be unique')]
      : [],
  );
}

function ruleNameErrors(rules: readonly HttpRouteRule[]): readonly FieldError[] {
  const names = rules.map(({ name }) => name);
  return names.flatMap((name, index) =>
    name !== undefined && names.indexOf(name) < index ? [fieldDuplicate(`spec.rules[${index}].name`, name)] : [],
  );
}

function ruleErrors(rule: HttpRouteRule, field: string): readonly FieldError[] {
  const backends = rule.backendRefs ?? [];
  const redirects = rule.filters?.some(({ type }) => type === 'RequestRedirect') === true;
  return [
    ...rule.matches.flatMap((match, index) => matchErrors(match, `${field}.matches[${index}]`)),
    ...filterErrors(rule.filters ?? [], rule.matches, `${field}.filters`),
    ...(redirects && backends.length > 0
      ? [fieldForbidden(`${field}.backendRefs`, 'RequestRedirect filter must not be used together with backendRefs')]
      : []),
    ...backends.flatMap((backend, index) => backendErrors(backend, rule.matches, `${field}.backendRefs[${index}]`)),
    ...timeoutErrors(rule, `${field}.timeouts`),
  ];
}

function matchErrors({ path, headers = [], queryParams = [] }: HttpRouteMatch, field: string): readonly FieldError[] {
  const names = headers.map(({ name }) => name.toLowerCase());
  return [
    ...pathErrors(path, `${field}.path.value`),
    ...names.flatMap((name, index) =>
      names.indexOf(name) < index ? [fieldDuplicate(`${field}.headers[${index}].name`, name)] : [],
    ),
    ...queryParams.flatMap(({ name }, index) =>
      queryParams.findIndex((other) => other.name === name) < index
        ? [fieldDuplicate(`${field}.queryParams[${index}].name`, name)]
        : [],
    ),
  ];
}

const FORBIDDEN_IN_PATH = ['//', '/./', '/../', '%2f', '%2F', '#'];

function pathErrors({ type, value }: HttpRouteMatch['path'], field: string): readonly FieldError[] {
  if (type === 'RegularExpression') return [];
  if (!value.startsWith('/')) return [fieldInvalid(field, value, "value must be an absolute path and start with '/'")];
  const found = FORBIDDEN_IN_PATH.find((part) => value.includes(part));
  if (found !== undefined) return [fieldInvalid(field, value, `must not contain '${found}'`)];
  const ending = ['/..', '/.'].find((part) => value.endsWith(part));
  if (ending !== undefined) return [fieldInvalid(field, value, `must not end with '${ending}'`)];
  return /^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+$/.test(value)
    ? []
    : [fieldInvalid(field, value, 'must only contain valid characters (RFC 3986 path)')];
}

function filterErrors(
  filters: readonly HttpRouteFilter[],
  matches: readonly HttpRouteMatch[],
  field: string,
): readonly FieldError[] {
  const types = filters.map(({ type }) => type);
  const repeatable = new Set(['RequestMirror', 'ExtensionRef']);
  return [
    ...filters.flatMap((filter, index) => oneFilterErrors(filter, matches, `${field}[${index}]`)),
    ...types.flatMap((type, index) =>
      types.indexOf(type) < index && !repeatable.has(type)
        ? [fieldInvalid(`${field}[${index}].type`, type, `${type} filter cannot be repeated`)]
        : [],
    ),
    ...(types.includes('RequestRedirect') && types.includes('URLRewrite')
      ? [
          fieldForbidden(
            field,
            'May specify either httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite, but not both',
          ),
        ]
      : []),
  ];
}

function oneFilterErrors(
  filter: HttpRouteFilter,
  matches: readonly HttpRouteMatch[],
  field: string,
): readonly FieldError[] {
  const own = FILTER_FIELDS[filter.type];
  const others = Object.values(FILTER_FIELDS).filter((name) => name !== own && filter[name] !== undefined);
  const path = filter.urlRewrite?.path ?? filter.requestRedirect?.path;
  const prefixed = matches.length === 1 && matches[0]?.path.type === 'PathPrefix';
  return [
    ...(filter[own] === undefined
      ? [fieldRequired(`${field}.${own}`, `must be specified for ${filter.type} filter.type`)]
      : []),
    ...others.map((name) => fieldForbidden(`${field}.${name}`, `must be nil if the filter.type is ${filter.type}`)),
    ...(path?.type === 'ReplacePrefixMatch' && !prefixed
      ? [
          fieldForbidden(
            `${field}.${own}.path.replacePrefixMatch`,
            'exactly one PathPrefix match must be specified when replacePrefixMatch is used',
          ),
        ]
      : []),
  ];
}

function backendErrors(
  backend: HttpBackendRef,
  matches: readonly HttpRouteMatch[],
  field: string,
): readonly FieldError[] {
  const isService = backend.group === '' && backend.kind === 'Service';
  return [
    ...(isService && backend.port === undefined
      ? [fieldRequired(`${field}.port`, 'Must have port for Service reference')]
      : []),
    ...filterErrors(backend.filters ?? [], matches, `${field}.filters`),
  ];
}

/** One try can't take longer than the whole (GEP-1742). 0s is no limit. */
function timeoutErrors({ timeouts }: HttpRouteRule, field: string): readonly FieldError[] {
  if (timeouts?.request === undefined || timeouts.backendRequest === undefined) return [];
  const [whole, one] = [durationMs(timeouts.request), durationMs(timeouts.backendRequest)];
  return whole !== 0 && one > whole
    ? [
        fieldInvalid(
          `${field}.backendRequest`,
          timeouts.backendRequest,
          'backendRequest timeout cannot be longer than request timeout',
        ),
      ]
    : [];
}
