import { echoLoop } from './echo-loop.ts';
import { PAYLOAD_BYTES } from './frame.ts';

// Bytes over plain TCP, echoed. Usage: tcp.ts JSON
echoLoop({ message: Buffer.alloc(PAYLOAD_BYTES, 'x'), echoBytes: PAYLOAD_BYTES });
