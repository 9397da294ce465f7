import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestApiServer } from '../support/api-server.ts';
import { eventually } from '../support/eventually.ts';
import { program } from '../support/programs.ts';
import { type Finished, run } from '../support/tutti-process.ts';

export interface KubectlOptions {
  /** For `-f -`. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Watching {
  /** Resolves when this has been printed; fails with what was. */
  prints(text: string | RegExp): Promise<void>;
  stop(): Promise<void>;
}

/** The real kubectl, as the administrator of one test server. Its caches are in the server's folder. */
export class Kubectl {
  readonly #api: TestApiServer;
  /** The kubectl that it runs; fails where there is none. */
  readonly program: () => string;

  /** `path` is the kubectl to run: KUBECTL of the environment unless told, else the one that the tests bring. */
  constructor(api: TestApiServer, path = process.env['KUBECTL']) {
    this.#api = api;
    this.program = () => path ?? program('kubectl');
  }

  /** Runs to the end, whatever that is. Arguments are the words of `command`, then `more` as they are. */
  async run(command: string, more: readonly string[] = [], options: KubectlOptions = {}): Promise<Finished> {
    return await run(this.program(), this.#args(command, more), {
      cwd: this.#api.folder,
      env: { ...this.#env(), ...options.env },
      ...(options.input === undefined ? {} : { input: options.input }),
    });
  }

  /** What it printed; fails with its error unless it succeeds. */
  async ok(command: string, more: readonly string[] = [], options: KubectlOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(command, more, options);
    if (code !== 0) throw new Error(`kubectl ${command} ${more.join(' ')}: exit ${code}\n${stdout}${stderr}`);
    return stdout;
  }

  /** The words of its error; fails when it succeeds. */
  async refused(command: string, more: readonly string[] = [], options: KubectlOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(command, more, options);
    if (code === 0) throw new Error(`kubectl ${command} ${more.join(' ')}: succeeded\n${stdout}`);
    return stderr;
  }

  /** Starts one that stays, such as `get -w` or `logs -f`. */
  start(command: string, more: readonly string[] = []): Watching {
    const child: ChildProcess = spawn(this.program(), this.#args(command, more), {
      cwd: this.#api.folder,
      env: { ...process.env, ...this.#env() },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const exited = once(child, 'exit');
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (printed += text));
    }
    return {
      prints: async (text) => {
        const seen = (): boolean => (typeof text === 'string' ? printed.includes(text) : text.test(printed));
        await eventually(`kubectl ${command} prints ${String(text)}`, seen).catch((cause: unknown) => {
          throw new Error(`kubectl ${command}: did not print ${String(text)}:\n${printed}`, { cause });
        });
      },
      stop: async () => {
        child.kill('SIGKILL');
        await exited;
      },
    };
  }

  #args(command: string, more: readonly string[]): string[] {
    return [...command.split(' '), ...more];
  }

  #env(): Record<string, string> {
    return { KUBECONFIG: this.#api.kubeconfig, HOME: this.#api.folder };
  }
}
