// `node tools/command-reference.ts` writes docs/reference/commands.md anew; a test holds the page to the code.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { CommandContext } from '../cli/cluster/context.ts';
import { createProgram } from '../cli/program.ts';
import { systemClock } from '../kit/clock.ts';

/** docs/reference/commands.md as the commands themselves tell it: usage, arguments, flags with defaults. */
export function renderCommands(): string {
  const program = createProgram(inertContext());
  const commands = program.commands.filter((command) => command.name() !== 'help').flatMap(withSubcommands);
  const intro =
    'Made by `node tools/command-reference.ts` from the commands themselves; a test holds it to them. `tutti COMMAND --help` says the same with examples.';
  return `# Commands\n\n${intro}\n\n${commands.map(section).join('\n')}`;
}

function withSubcommands(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(withSubcommands);
}

function section(command: Command): string {
  const { parent } = command;
  const name =
    parent?.parent === null || parent?.parent === undefined ? command.name() : `${parent.name()} ${command.name()}`;
  const flags = command.options.map(({ flags: text, description, defaultValue }) => {
    // A host's own name would make the page another on each machine.
    const shown = text.startsWith('--node-name') ? "the machine's name" : JSON.stringify(defaultValue);
    const fallback =
      defaultValue === undefined || typeof defaultValue === 'boolean' ? '' : ` (default: ${shown.replaceAll('"', '')})`;
    return `- \`${text}\`: ${description}${fallback}\n`;
  });
  const usage = command.usage() === '' ? '' : ` ${command.usage()}`;
  return `## ${name}\n\n\`tutti ${name}${usage}\`: ${command.description()}.\n${flags.length === 0 ? '' : `\n${flags.join('')}`}`;
}

function inertContext(): CommandContext {
  const nothing = (): void => {};
  return {
    terminal: {
      out: nothing,
      err: nothing,
      live: false,
      liveArea: () => ({ show: nothing, done: nothing }),
      style: (_, text) => text,
    },
    clock: systemClock(),
    signal: new AbortController().signal,
    env: {},
    cwd: '/',
    connect: () => Promise.reject(new Error('the reference connects to nothing')),
  };
}

if (import.meta.main) {
  writeFileSync(join(import.meta.dirname, '..', 'docs', 'reference', 'commands.md'), renderCommands());
}
