/**
 * The demo as a process of its own, started by `start.ts`: a WinRM host behind a proxy, and a maze of worse roads to
 * it, all on loopback. It hears the password from its parent, so that no argument and no environment variable ever holds
 * it, and ends with its parent.
 */
import { join } from 'node:path';
import { type Demo, startDemo } from '../packages/testbed/src/index.ts';

const settings: Readonly<Record<string, string | undefined>> = process.env;
/** In the relay's data folder, so that whoever trusted the demo's certificate meets it again after a restart. */
const certificateFile = join(settings['FAIRLEAD_DATA'] || '.data', 'demo-cert.pem');
// Behind a public origin nobody's browser could reach the gateway, and the relay would not answer through it.
const demo: Demo = await startDemo({
  certificateFile,
  maze: { hasStripper: (settings['FAIRLEAD_PUBLIC_ORIGIN'] ?? '') === '' },
});

process.on('message', (message) => {
  if (typeof message !== 'object' || message === null || !('type' in message)) return;
  if (message.type === 'account' && 'password' in message && typeof message.password === 'string') {
    demo.admit(message.password);
  }
  if (message.type === 'relay' && 'host' in message && 'port' in message) {
    demo.maze?.stripper?.leadTo({ host: String(message.host), port: Number(message.port) });
  }
});
const stop = (): void => {
  demo.close().then(
    () => process.exit(0),
    () => process.exit(1),
  );
};
for (const event of ['SIGTERM', 'SIGINT', 'disconnect'] as const) process.once(event, stop);
// The parent may have gone while the demo was starting; then nobody will say so any more.
if (process.connected) process.send?.({ type: 'ready', place: demo.place });
else stop();
