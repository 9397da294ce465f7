import { echoLoop } from './echo-loop.ts';
import { ECHO_BYTES, maskedFrame } from './frame.ts';

// Messages over WebSockets, echoed. Usage: websocket.ts JSON
echoLoop({
  message: maskedFrame(),
  echoBytes: ECHO_BYTES,
  upgrade:
    'GET /echo HTTP/1.1\r\nHost: bench.internal\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
});
