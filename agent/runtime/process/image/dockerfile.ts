import { type Escape, type Instruction, readInstructions } from './dockerfile-lines.ts';
import { splitWords, substitute } from './words.ts';

/** What an image says of how to run it: OCI's image configuration, as far as it can be read without building. */
export interface ImageConfig {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** `name`, `uid` or either with `:group`. */
  readonly user?: string;
  /** Absolute; `/` unless told. */
  readonly workdir: string;
}

/** A Dockerfile that cannot be read: with the line. */
export class DockerfileError extends Error {
  override readonly name = 'DockerfileError';
}

interface Stage {
  readonly name: string | undefined;
  entrypoint: readonly string[];
  cmd: readonly string[];
  env: Record<string, string>;
  args: Record<string, string>;
  shell: readonly string[];
  user: string | undefined;
  workdir: string;
}

// The defaults of the Dockerfile reference, "SHELL" and "WORKDIR".
const DEFAULT_SHELL = ['/bin/sh', '-c'];

/**
 * The configuration that the last stage of a Dockerfile ends with. FROM is followed only to earlier stages of the same
 * file; RUN, COPY, ADD and the rest are not executed.
 */
export function parseDockerfile(text: string): ImageConfig {
  const { escape, instructions } = readInstructions(text);
  const stages: Stage[] = [];
  const globals: Record<string, string> = {};
  for (const instruction of instructions) {
    const stage = stages.at(-1);
    if (instruction.name === 'FROM') stages.push(newStage(instruction, stages, globals, escape));
    else if (stage !== undefined) apply(instruction, stage, globals, escape);
    else if (instruction.name === 'ARG') declareArgs(instruction, globals, globals, escape);
    else throw new DockerfileError(`Dockerfile line ${instruction.line}: ${instruction.name} before the first FROM`);
  }
  const last = stages.at(-1);
  if (last === undefined) throw new DockerfileError('Dockerfile: has no FROM');
  const { entrypoint, cmd, env, user, workdir } = last;
  return { entrypoint, cmd, env, workdir, ...(user === undefined ? {} : { user }) };
}

function newStage(
  instruction: Instruction,
  stages: readonly Stage[],
  globals: Readonly<Record<string, string>>,
  escape: Escape,
): Stage {
  const words = splitWords(instruction.rest, globals, escape).filter((word) => !word.startsWith('--'));
  const name = words[1]?.toLowerCase() === 'as' ? words[2]?.toLowerCase() : undefined;
  const base = stages.find((stage) => stage.name !== undefined && stage.name === words[0]?.toLowerCase());
  if (base !== undefined) return { ...base, name, env: { ...base.env }, args: {} };
  return { name, entrypoint: [], cmd: [], env: {}, args: {}, shell: DEFAULT_SHELL, user: undefined, workdir: '/' };
}

function apply(
  instruction: Instruction,
  stage: Stage,
  globals: Readonly<Record<string, string>>,
  escape: Escape,
): void {
  // A variable of ENV always wins over one of ARG (Dockerfile reference, "Using ARG variables").
  const variables = { ...stage.args, ...stage.env };
  switch (instruction.name) {
    case 'ENV':
      Object.assign(stage.env, envOf(instruction, variables, escape));
      break;
    case 'ARG':
      declareArgs(instruction, stage.args, { ...globals, ...variables }, escape, globals);
      break;
    case 'WORKDIR':
      stage.workdir = resolveFolder(stage.workdir, substitute(instruction.rest, variables, escape));
      break;
    case 'USER':
      stage.user = substitute(instruction.rest, variables, escape);
      break;
    case 'SHELL':
      stage.shell = execForm(instruction.rest) ?? stage.shell;
      break;
    case 'ENTRYPOINT':
      stage.entrypoint = commandOf(instruction.rest, stage.shell);
      break;
    case 'CMD':
      stage.cmd = commandOf(instruction.rest, stage.shell);
      break;
    default:
      break;
  }
}

/** `A=1 B="two words"`, or the old form `A the rest`. */
function envOf(
  { rest, line }: Instruction,
  variables: Readonly<Record<string, string>>,
  escape: Escape,
): Record<string, string> {
  const old = /^([^\s=]+)\s+([\s\S]*)$/.exec(rest);
  if (old !== null) return { [old[1] ?? '']: substitute(old[2] ?? '', variables, escape) };
  const entries = splitWords(rest, variables, escape).map((word) => {
    const at = word.indexOf('=');
    if (at <= 0) throw new DockerfileError(`Dockerfile line ${line}: ENV ${JSON.stringify(word)}: no NAME=value`);
    return [word.slice(0, at), word.slice(at + 1)] as const;
  });
  return Object.fromEntries(entries);
}

/** ARG without a value takes that of a global ARG with its name; build arguments do not exist here. */
function declareArgs(
  { rest }: Instruction,
  into: Record<string, string>,
  variables: Readonly<Record<string, string>>,
  escape: Escape,
  globals: Readonly<Record<string, string>> = {},
): void {
  for (const word of splitWords(rest, variables, escape)) {
    const at = word.indexOf('=');
    const name = at < 0 ? word : word.slice(0, at);
    const value = at < 0 ? globals[name] : word.slice(at + 1);
    if (value !== undefined) into[name] = value;
  }
}

function commandOf(rest: string, shell: readonly string[]): readonly string[] {
  return execForm(rest) ?? (rest === '' ? [] : [...shell, rest]);
}

/** A JSON array of strings; anything else is the shell form, as in Docker's own parser. */
function execForm(rest: string): readonly string[] | undefined {
  if (!rest.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(rest);
    return Array.isArray(value) && value.every((each) => typeof each === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A relative WORKDIR is relative to the one before; dots are resolved. */
function resolveFolder(from: string, to: string): string {
  const parts: string[] = [];
  for (const part of (to.startsWith('/') ? to : `${from}/${to}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
