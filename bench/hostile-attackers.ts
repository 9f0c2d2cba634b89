import { once } from 'node:events';
import WebSocket from 'ws';

/*
 * Runs in a process of its own, so that the work of the attackers does not delay the measuring client. The arguments are
 * the frames that each connection sends in turn, the pause between two, and the addresses. When the parent leaves, so do
 * the attackers.
 */
const [, , frames = '[]', pauseMs = '', ...urls] = process.argv;
const turns = JSON.parse(frames) as readonly string[];
const counts = { acks: 0, posts: 0, refused: 0, pongs: 0 };

const sockets = await Promise.all(
  urls.map(async (url) => {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    socket.on('message', (data: Buffer) => {
      counts[kindOf(data.toString('latin1', 0, 30))] += 1;
    });
    await once(socket, 'open');
    return socket;
  }),
);

sockets.forEach((socket, index) => {
  let sent = index;
  // Spread over the pause: connections that send at the same moment would measure bursts.
  setTimeout(
    () => {
      setInterval(() => socket.send(turns[(sent += 1) % turns.length] ?? ''), Number(pauseMs));
    },
    (Number(pauseMs) * index) / sockets.length,
  );
});

process.once('disconnect', () => process.exit(0));
process.on('message', () => process.send?.(counts));
process.send?.({});

/** Parsing whole acks would cost the machine as much as the attack. The type comes first. */
function kindOf(start: string): keyof typeof counts {
  if (start.startsWith('{"type":"pong"')) return 'pongs';
  if (start.startsWith('{"type":"ack"')) return 'acks';
  return start.startsWith('{"type":"error"') ? 'refused' : 'posts';
}
