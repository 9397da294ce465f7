// Part of `npm ci`: static code for the xDS messages in use, from the protos that @grpc/grpc-js-xds carries, into the
// git-ignored folder xds/. No proto is copied into the repository.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import protobufjs, { type Field, type Root, type Type } from 'protobufjs';
import { main as pbjs } from 'protobufjs-cli/pbjs.js';
import {
  fieldName,
  flatName,
  type KeptMessage,
  keptEnums,
  messageDeclarations,
  type StreamingMethod,
  streamingMethods,
} from './xds-declarations.ts';
import { MESSAGES, NAMES, PROTO_FILES, SERVICES } from './xds-messages.ts';

const PROTO_FOLDERS = ['envoy-api', 'xds', 'googleapis', 'protoc-gen-validate'];
const OUTPUT = ['messages.js', 'messages.d.ts', 'services.js', 'services.d.ts'];

type Json = { [key: string]: Json | string | number | readonly string[] };

/** Writes `<root>/xds/` whole or not at all; returns at once when it is what these inputs give. */
export async function generateXds(root: string): Promise<void> {
  const folder = join(root, 'xds');
  const inputs = hashOfInputs(root);
  const stamp = join(folder, '.inputs');
  const complete = [...OUTPUT, '.inputs'].every((file) => existsSync(join(folder, file)));
  if (complete && readFileSync(stamp, 'utf8') === inputs) return;

  const beside = join(root, `xds.${process.pid}.tmp`);
  const old = join(root, `xds.${process.pid}.old`);
  try {
    mkdirSync(beside, { recursive: true });
    const protos = loadProtos(root);
    const messages = keptMessages(protos);
    writeFileSync(join(beside, 'messages.js'), await messageModule(messages, beside));
    writeFileSync(join(beside, 'messages.d.ts'), messageDeclarations(messages));
    const services = SERVICES.map((name) => [flatName(name), streamingMethods(protos, name)] as const);
    writeFileSync(join(beside, 'services.js'), serviceModule(services));
    writeFileSync(join(beside, 'services.d.ts'), serviceDeclarations(services));
    writeFileSync(join(beside, '.inputs'), inputs);
    if (existsSync(folder)) renameSync(folder, old);
    renameSync(beside, folder);
  } finally {
    rmSync(beside, { recursive: true, force: true });
    rmSync(old, { recursive: true, force: true });
  }
}

function hashOfInputs(root: string): string {
  const hash = createHash('sha256');
  for (const name of ['generate-xds.ts', 'xds-messages.ts', 'xds-declarations.ts']) {
    hash.update(readFileSync(join(import.meta.dirname, name)));
  }
  for (const name of ['@grpc/grpc-js-xds', 'protobufjs', 'protobufjs-cli']) {
    hash.update(readFileSync(join(root, 'node_modules', name, 'package.json')));
  }
  return hash.digest('hex');
}

function loadProtos(root: string): Root {
  const modules = join(root, 'node_modules');
  const folders = [
    ...PROTO_FOLDERS.map((name) => join(modules, '@grpc', 'grpc-js-xds', 'deps', name)),
    join(modules, 'protobufjs'),
  ];
  const protos = new protobufjs.Root();
  // Names that no folder has (google/protobuf/any.proto and such) are those that protobufjs brings itself.
  protos.resolvePath = (_origin, target) =>
    folders.map((folder) => join(folder, target)).find((path) => existsSync(path)) ?? target;
  protos.loadSync([...PROTO_FILES]);
  protos.resolveAll();
  return protos;
}

function keptMessages(protos: Root): readonly KeptMessage[] {
  const messages = Object.entries(MESSAGES).map(([fullName, fields]) => {
    const type = protos.lookupType(fullName);
    const name = NAMES[fullName] ?? flatName(fullName);
    return { fullName, name, fields: fields.map((field) => keptField(type, field)) };
  });
  const twice = messages.find(({ name }, at) => messages.findIndex((other) => other.name === name) !== at);
  if (twice !== undefined)
    throw new Error(`xDS message "${twice.fullName}": another is called ${twice.name}; give it a name in NAMES`);
  return messages;
}

function keptField(type: Type, name: string): Field {
  const field = type.fieldsArray.find((candidate) => protoName(candidate) === name);
  if (field === undefined) throw new Error(`xDS message "${type.fullName}": has no field "${name}"`);
  field.resolve();
  const message = field.resolvedType instanceof protobufjs.Type ? field.resolvedType.fullName.slice(1) : undefined;
  if (message !== undefined && !Object.hasOwn(MESSAGES, message)) {
    throw new Error(`xDS field "${type.fullName}.${name}": its message ${message} is not listed in xds-messages.ts`);
  }
  return field;
}

function protoName(field: Field): string {
  return (field as Field & { readonly protoName?: string }).protoName ?? field.name;
}

/** pbjs makes the codecs, of a schema with nothing but the kept messages; they are exported under their short names. */
async function messageModule(messages: readonly KeptMessage[], folder: string): Promise<string> {
  const schema = join(folder, 'schema.json');
  const out = join(folder, 'pbjs.js');
  writeFileSync(schema, JSON.stringify(keptSchema(messages)));
  const form = ['--target', 'static-module', '--wrap', 'esm', '--dependency', 'protobufjs/minimal.js'];
  const leftOut = ['--no-convert', '--no-delimited', '--no-service', '--no-comments', '--no-verify'];
  await new Promise<void>((resolve, reject) => {
    pbjs([...form, ...leftOut, '--force-number', '--root', 'tutti-xds', '--out', out, schema], (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  const code = readFileSync(out, 'utf8')
    .replaceAll(/^ +/gm, '')
    .replaceAll(/^export const /gm, 'const ')
    .replaceAll(/reader\.u?int64\(\)/g, '$int64(reader)')
    .replaceAll(/reader\.sint64\(\)/g, '$number($&)')
    .replaceAll(/\$util\.Long \? \$util\.Long\.fromBits\([^)]*\) : 0/g, '0')
    .replaceAll(/\$util\.Long \? \$util\.Long\.fromBits\(0, ?0, ?(?:true|false)\) : 0/g, '0')
    .replace(/export\s*\{[^}]*\};?/, '');
  rmSync(schema);
  rmSync(out);
  const names = [...messages, ...keptEnums(messages)];
  // pbjs has numbers in its types for 64 bits (--force-number), but its reader, and what a missing field is, give a Long where that package is there.
  // The numbers in use are small: one byte says most of them, and is read without three objects on the way.
  const number =
    "const $number = (value) => (typeof value === 'number' ? value : value.toNumber());\n" +
    'const $int64 = (reader) =>\n' +
    'reader.pos < reader.len && reader.buf[reader.pos] < 128 ? reader.buf[reader.pos++] : $number(reader.int64());\n';
  return `${code}\n${number}${names.map(({ fullName, name }) => `export const ${name} = $root.${fullName};\n`).join('')}`;
}

function keptSchema(messages: readonly KeptMessage[]): Json {
  const schema: Json = { edition: 'proto3', nested: {} };
  for (const { fullName, fields } of messages) place(schema, fullName, messageJson(fields));
  for (const { fullName, values } of keptEnums(messages)) {
    place(schema, fullName, { edition: 'proto3', values: { ...values } });
  }
  return schema;
}

function messageJson(kept: readonly Field[]): Json {
  const fields: Json = {};
  const oneofs: Json = {};
  for (const field of kept) {
    fields[fieldName(field)] = {
      ...(field.repeated ? { rule: 'repeated' } : {}),
      ...(field instanceof protobufjs.MapField ? { keyType: field.keyType } : {}),
      type: field.resolvedType === null ? field.type : field.resolvedType.fullName,
      id: field.id,
    };
    if (field.partOf === null) continue;
    const members = kept.filter(({ partOf }) => partOf === field.partOf).map(fieldName);
    oneofs[field.partOf.name] = { oneof: members };
  }
  return { edition: 'proto3', fields, oneofs };
}

/** Puts a definition under its dotted name, making the namespaces on the way and keeping what is nested there. */
function place(schema: Json, fullName: string, definition: Json): void {
  let at = schema;
  for (const part of fullName.split('.')) {
    const nested = (at['nested'] ??= {}) as Json;
    at = (nested[part] ??= {}) as Json;
  }
  Object.assign(at, definition);
}

type Services = readonly (readonly [name: string, methods: readonly StreamingMethod[]])[];

function serviceModule(services: Services): string {
  const tables = services.map(([name, methods]) => {
    const lines = methods.map(
      ({ name, path, request, response }) =>
        `  ${name}: stream('${path}', messages.${request}, messages.${response}),\n`,
    );
    return `export const ${name} = {\n${lines.join('')}};\n`;
  });
  return `// Generated by tools/generate-xds.ts.
import * as messages from './messages.js';

function stream(path, request, response) {
  return {
    path,
    requestStream: true,
    responseStream: true,
    requestSerialize: (message) => request.encode(message).finish(),
    requestDeserialize: (bytes) => request.decode(bytes),
    responseSerialize: (message) => response.encode(message).finish(),
    responseDeserialize: (bytes) => response.decode(bytes),
  };
}

${tables.join('\n')}`;
}

function serviceDeclarations(services: Services): string {
  const tables = services.map(([name, methods]) => {
    const lines = methods.map(
      ({ name, request, response }) =>
        `  readonly ${name}: StreamMethod<m.${request}Input, m.${request}, m.${response}Input, m.${response}>;\n`,
    );
    return `export declare const ${name}: {\n${lines.join('')}};\n`;
  });
  return `// Generated by tools/generate-xds.ts.
import type * as m from './messages.js';

/** A bidirectional method, in the form that @grpc/grpc-js takes for both sides. */
export interface StreamMethod<RequestInput, Request, ResponseInput, Response> {
  readonly path: string;
  readonly requestStream: true;
  readonly responseStream: true;
  readonly requestSerialize: (message: RequestInput) => Buffer;
  readonly requestDeserialize: (bytes: Buffer) => Request;
  readonly responseSerialize: (message: ResponseInput) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

${tables.join('\n')}`;
}
