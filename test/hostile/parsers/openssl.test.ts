import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import tls from 'node:tls';
import { readClientHello } from '../../../proxy/detection/client-hello.ts';
import { damaged } from './damaged.ts';
import { Draw } from './draw.ts';
import { HELLO_PIECES } from './openings.ts';

const CASES = 400;
const context = tls.createSecureContext();
const FIRST_SEED = 20_261_128;

/** The ClientHello that OpenSSL makes. */
async function helloOf(servername: string): Promise<string> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer) => {
        resolve(chunk.toString('latin1'));
        wire.destroy();
      },
    });
    // One short key share, so that most damages do not fall into it.
    const options = { ecdhCurve: 'X25519', ALPNProtocols: ['h2', 'http/1.1'] };
    tls.connect({ socket: wire, servername, ...options }).on('error', () => undefined);
  });
}

/** The server name that OpenSSL finds in a ClientHello; undefined when it refuses it before it has looked for one. */
async function serverNameByOpenSsl(bytes: Buffer): Promise<string | undefined> {
  return new Promise((resolve) => {
    const wire = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
    const socket = new tls.TLSSocket(wire, {
      isServer: true,
      secureContext: context,
      SNICallback: (name, done) => {
        resolve(name);
        done(new Error('enough'));
      },
    });
    const gone = (): void => resolve(undefined);
    socket.on('error', gone);
    socket.on('close', gone);
    socket.on('end', gone);
    socket.resume();
    wire.push(bytes);
    // Not before what there is has been read.
    setImmediate(() => setImmediate(() => wire.push(null)));
  });
}

test('where OpenSSL reads a server name, we read the same or refuse', async () => {
  const hellos = [await helloOf('shop.example'), await helloOf('Some.Long-Name.of.a-host.example')];
  let [agreed, refused] = [0, 0];
  for (let seed = FIRST_SEED; seed < FIRST_SEED + CASES; seed++) {
    const bytes = damaged(new Draw(seed), hellos, HELLO_PIECES);
    const theirs = await serverNameByOpenSsl(Buffer.from(bytes, 'latin1'));
    if (theirs === undefined || theirs === '') continue;
    const ours = readClientHello(Buffer.from(bytes, 'latin1'));
    if (ours?.kind !== 'hello') refused++;
    else {
      assert.equal(ours.serverName, theirs.toLowerCase(), `seed ${seed}`);
      agreed++;
    }
  }
  assert.ok(agreed > CASES / 10, `${agreed} agreed, ${refused} refused`);
});
