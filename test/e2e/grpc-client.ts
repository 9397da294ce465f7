// A client of the shop's stock on grpc-js: calls a target again and again, and prints who answered, or what went wrong.
import { setTimeout as pause } from 'node:timers/promises';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { register, XdsChannelCredentials } from '@grpc/grpc-js-xds';

const [target = ''] = process.argv.slice(2);
// Product{id: "viola"} of stock.proto.
const REQUEST = Buffer.from('\x0a\x05viola', 'latin1');
const asItIs = (message: Buffer): Buffer => message;

function count(client: Client): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + 15_000;
    client.makeUnaryRequest('/shop.Stock/Count', asItIs, asItIs, REQUEST, { deadline }, (error, answer) => {
      if (error === null && answer !== undefined) resolve(answer);
      else reject(error ?? new Error('no answer'));
    });
  });
}

register();
const client = new Client(target, new XdsChannelCredentials(credentials.createInsecure()));
for (;;) {
  const said = await count(client).then(
    // Answer{left, served_by}: the text stands last.
    (answer) => ({ by: answer.toString('utf8', 4) }),
    (error: ServiceError) => ({ error: status[error.code], details: error.details }),
  );
  process.stdout.write(`${JSON.stringify(said)}\n`);
  await pause(20);
}
