/**
 * A process of its own that publishes at a steady rate, coming back whenever it is put out. Its parent says what, and when to stop (IPC);
 * it says when it is refused for the first time, and in the end how many it has sent in how many seconds.
 */
import { setPriority } from 'node:os';

import mqtt from 'mqtt';

setPriority(19); // in the field it is another machine's processor that floods

process.once('message', ({ url, id, token, room, to, payload, perS }) => {
  const client = mqtt.connect(url, { clientId: id, username: id, password: token, protocolVersion: 4, reconnectPeriod: 50 });
  const started = performance.now();
  let last = started;
  let due = 0;
  let sent = 0;
  client.on('error', () => {}); // it is refused, and tries again
  client.on('connect', () => client.subscribe(`parley/v1/rooms/${room}/to/${id}/error`));
  client.once('message', () => process.send('refused'));
  const timer = setInterval(() => {
    const now = performance.now();
    due = client.connected ? due + perS * (now - last) / 1000 : 0;
    last = now;
    for (; due >= 1; due--, sent++) client.publish(`parley/v1/rooms/${room}/to/${to}/offer/${id}`, payload, { qos: 0 });
  }, 5);
  process.once('message', () => {
    clearInterval(timer);
    client.end(true);
    process.send({ sent, seconds: (performance.now() - started) / 1000 }, () => process.disconnect());
  });
});
