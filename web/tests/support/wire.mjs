/** A connection to a server that can be cut, with everything that is under way on it, and mended. */
import { connect, createServer } from 'node:net';

export async function startWire(serverPort) {
  const sockets = new Set();
  const server = createServer((near) => {
    const far = connect(serverPort, '127.0.0.1');
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) sockets.add(socket.on('error', () => {}).on('close', () => { sockets.delete(socket); near.destroy(); far.destroy(); }));
  });
  const listen = (port) => new Promise((done) => server.listen(port, '127.0.0.1', done));
  await listen(0);
  const { port } = server.address();
  return {
    origin: `http://127.0.0.1:${port}`,
    cut: () => { server.close(); for (const socket of sockets) socket.destroy(); },
    mend: () => listen(port),
  };
}
