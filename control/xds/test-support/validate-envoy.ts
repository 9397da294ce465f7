import { existsSync } from 'node:fs';
import { join } from 'node:path';
import protobufjs, { type Field, type Root, type Type } from 'protobufjs';
import { type Resource, TYPE_URL } from '../resource.ts';

const MODULES = join(import.meta.dirname, '..', '..', '..', 'node_modules');
const FOLDERS = [
  ...['envoy-api', 'xds', 'googleapis', 'protoc-gen-validate'].map((name) =>
    join(MODULES, '@grpc', 'grpc-js-xds', 'deps', name),
  ),
  join(MODULES, 'protobufjs'),
];
const FILES = [
  'envoy/config/listener/v3/listener.proto',
  'envoy/config/route/v3/route.proto',
  'envoy/config/cluster/v3/cluster.proto',
  'envoy/config/endpoint/v3/endpoint.proto',
  'envoy/extensions/access_loggers/stream/v3/stream.proto',
  'envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster.proto',
  'envoy/extensions/filters/http/cors/v3/cors.proto',
  'envoy/extensions/filters/http/dynamic_forward_proxy/v3/dynamic_forward_proxy.proto',
  'envoy/extensions/filters/http/router/v3/router.proto',
  'envoy/extensions/filters/listener/http_inspector/v3/http_inspector.proto',
  'envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol.proto',
  'envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.proto',
  'envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto',
  'envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.proto',
  'envoy/extensions/retry/host/previous_hosts/v3/previous_hosts.proto',
  'envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol.proto',
  'envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer.proto',
  'envoy/extensions/transport_sockets/tls/v3/tls.proto',
  'envoy/extensions/upstreams/http/v3/http_protocol_options.proto',
];

type Message = Readonly<Record<string, unknown>>;
type Rules = Readonly<Record<string, unknown>>;

let loaded: Root | undefined;

/**
 * Reads a resource with Envoy's whole, unreduced API and checks the rules that Envoy checks (protoc-gen-validate options in
 * its protos): what is required, lengths and bounds, in nested extensions too. Gives what is broken.
 */
export function envoyProblems({ kind, name, value }: Resource): readonly string[] {
  loaded ??= loadAll();
  return check(loaded.lookupType(fullName(TYPE_URL[kind])), value, `${kind} ${name}`);
}

function loadAll(): Root {
  const root = new protobufjs.Root();
  root.resolvePath = (_origin, target) =>
    FOLDERS.map((folder) => join(folder, target)).find((path) => existsSync(path)) ?? target;
  root.loadSync(FILES);
  root.resolveAll();
  return root;
}

function check(type: Type, bytes: Uint8Array, path: string): readonly string[] {
  return checkMessage(type, type.decode(bytes), path);
}

function checkMessage(type: Type, message: Message, path: string): readonly string[] {
  if (type.fullName === '.google.protobuf.Any') return checkAny(message, path);
  const oneofs = type.oneofsArray
    .filter((oneof) => oneof.options?.['(validate.required)'] === true)
    .filter((oneof) => !oneof.fieldsArray.some((field) => isSet(message, field)))
    .map((oneof) => `${path}: none of oneof ${oneof.name} is set`);
  return [...oneofs, ...type.fieldsArray.flatMap((field) => checkField(field, message, `${path}.${field.name}`))];
}

function checkAny(message: Message, path: string): readonly string[] {
  const url = String(message['type_url'] ?? message['typeUrl']);
  const type = loaded?.lookup(fullName(url));
  if (!(type instanceof protobufjs.Type)) return [`${path}: ${url} is no message of Envoy's`];
  return check(type, message['value'] as Uint8Array, `${path}[${type.name}]`);
}

function checkField(field: Field, message: Message, path: string): readonly string[] {
  const rules = rulesOf(field);
  const set = isSet(message, field);
  const value = message[field.name];
  if (!set) {
    // A oneof's member that is not chosen has no rules; a plain proto3 field has them for its default as well.
    if (field.partOf !== null || field.map) return [];
    if (field.repeated) return countRules(rules, 0, path);
    const isMessage = field.resolvedType instanceof protobufjs.Type;
    if (!isMessage) return broken(rules, field.typeDefault ?? 0, path);
    return rules['message.required'] === true || rules['duration.required'] === true ? [`${path}: is required`] : [];
  }
  if (field.map) return Object.entries(value as Message).flatMap(([key, one]) => nested(field, one, `${path}[${key}]`));
  if (!field.repeated) {
    // Rules on a wrapper are about what it wraps.
    const wrapped = isWrapper(field) ? (value as Message)['value'] : value;
    return [...broken(rules, wrapped, path), ...nested(field, value, path)];
  }
  const items = value as readonly unknown[];
  return [
    ...countRules(rules, items.length, path),
    ...items.flatMap((one, at) => nested(field, one, `${path}[${at}]`)),
  ];
}

function nested(field: Field, value: unknown, path: string): readonly string[] {
  return field.resolvedType instanceof protobufjs.Type ? checkMessage(field.resolvedType, value as Message, path) : [];
}

function broken(rules: Rules, value: unknown, path: string): readonly string[] {
  const number = Number(value);
  const text = String(value);
  const wrong = Object.entries(rules).filter(([rule, bound]) => {
    if (rule === 'string.min_len') return text.length < Number(bound);
    if (rule === 'string.max_len' || rule === 'string.max_bytes') return text.length > Number(bound);
    if (/^u?int\d+\.lte$/.test(rule)) return number > Number(bound);
    if (/^u?int\d+\.gte$/.test(rule)) return number < Number(bound);
    if (/^u?int\d+\.lt$/.test(rule)) return number >= Number(bound);
    return false;
  });
  return wrong.map(([rule, bound]) => `${path}: is ${JSON.stringify(value)}, breaks ${rule} ${String(bound)}`);
}

function isWrapper({ resolvedType }: Field): boolean {
  return resolvedType !== null && /^\.google\.protobuf\.\w+Value$/.test(resolvedType.fullName);
}

function countRules(rules: Rules, count: number, path: string): readonly string[] {
  const least = Number(rules['repeated.min_items'] ?? 0);
  const most = Number(rules['repeated.max_items'] ?? Infinity);
  return count < least || count > most ? [`${path}: has ${count} items`] : [];
}

function rulesOf(field: Field): Rules {
  const prefix = '(validate.rules).';
  const entries = Object.entries(field.options ?? {}).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(prefix.length), value]));
}

function isSet(message: Message, field: Field): boolean {
  const value = message[field.name];
  if (!Object.hasOwn(message, field.name) || value === null || value === undefined) return false;
  return !field.repeated || (value as readonly unknown[]).length > 0;
}

function fullName(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
}
