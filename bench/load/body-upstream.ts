import net from 'node:net';

// Bodies at the speed of the socket: `GET /N` is answered with N bytes, any other request is read to its Content-Length and
// answered with none. Usage: body-upstream.ts ADDRESS:PORT...
const piece = Buffer.alloc(64 * 1024, 'x');

class Conversation {
  readonly #socket: net.Socket;
  /** Of a request's body. */
  #left = 0;
  #head = '';
  /** Of an answer's body. */
  #owed = 0;

  constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on('drain', () => this.#pump());
  }

  receive(from: Buffer): void {
    if (this.#left > 0) {
      this.#left -= from.length;
      if (this.#left === 0) this.#answer(0);
      return;
    }
    this.#head += from.toString('latin1');
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = this.#head.slice(0, end);
    const surplus = this.#head.length - end - 4;
    this.#head = '';
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    this.#left = length - surplus;
    if (this.#left === 0) this.#answer(head.startsWith('GET') ? Number(/^GET \/(\d+)/.exec(head)?.[1] ?? 0) : 0);
  }

  #answer(bytes: number): void {
    this.#owed = bytes;
    this.#socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`);
    this.#pump();
  }

  #pump(): void {
    while (this.#owed > 0) {
      const next = this.#owed < piece.length ? piece.subarray(0, this.#owed) : piece;
      this.#owed -= next.length;
      if (!this.#socket.write(next)) return;
    }
  }
}

for (const where of process.argv.slice(2)) {
  const [host = '', port] = where.split(':');
  const server = net.createServer({ noDelay: true }, (socket) => {
    const conversation = new Conversation(socket);
    socket.on('error', () => undefined);
    socket.on('data', (data: Buffer) => conversation.receive(data));
  });
  server.listen({ port: Number(port), host, backlog: 4096 });
}
process.stdout.write('ready\n');
