import { once } from 'node:events';
import { ATTACKS, attack } from './attacks.ts';

// The attackers, in a process of their own, so that neighbours do not wait for their event loop. Usage: attack-process.ts NAME PORT CLIENTS;
// says how many are there once they are, goes on until its input ends, then prints how many clients were thrown out.
const [name = '', port = '', clients = ''] = process.argv.slice(2);
const kind = ATTACKS.find((each) => each.name === name);
if (kind === undefined) throw new Error(`attack "${name}": not known`);
const underWay = attack(kind, Number(port), Number(clients));
await underWay.atFullStrength;
process.stdout.write(`${clients}\n`);
process.stdin.resume();
await once(process.stdin, 'end');
underWay.stop();
process.stdout.write(`${underWay.ended}\n`);
