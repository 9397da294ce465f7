/** What the command line says; every scenario takes what concerns it. */
export interface Options {
  /** Undefined: what the scenario thinks right, at least five where proxies are compared. */
  readonly rounds: number | undefined;
  readonly roundMs: number;
  readonly connections: number;
  /** Of the `xds` scenario. */
  readonly clients: number;
  readonly seconds: number;
  /** A file for the control plane's CPU profile while changes come, of the last round. */
  readonly profile: string | undefined;
  /** Peers to run beside Tutti; undefined: all of the scenario's. */
  readonly peers: readonly string[] | undefined;
  /** Told what happens, line by line. */
  readonly say: (line: string) => void;
}

/** What a scenario found: a table for people, and what is written to `results/<name>.json`. */
export interface Report {
  readonly name: string;
  readonly text: string;
  readonly json: object;
}

export interface Scenario {
  /** `body-download-1m` belongs to the family `body`, which names all of them. */
  readonly name: string;
  /** One line for `--list`. */
  readonly about: string;
  readonly run: (options: Options) => Promise<Report>;
}

export const ROUNDS = 5;
