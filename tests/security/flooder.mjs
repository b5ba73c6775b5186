/** A process of its own that publishes at a steady rate, coming back whenever it is put out. Its parent says what, and when to stop (IPC). */
import mqtt from 'mqtt';

process.once('message', ({ url, id, token, topic, payload, perS }) => {
  const client = mqtt.connect(url, { clientId: id, username: id, password: token, protocolVersion: 4, reconnectPeriod: 50 });
  const sent = { messages: 0, closed: 0 };
  const started = performance.now();
  client.on('error', () => {}); // it is refused, and tries again
  client.on('close', () => sent.closed++);
  client.once('connect', () => process.send('flooding'));
  const timer = setInterval(() => {
    const due = Math.min(perS * (performance.now() - started) / 1000 - sent.messages, perS / 10); // what it missed while it was out is not made up for
    sent.messages = perS * (performance.now() - started) / 1000 - due;
    for (let i = 0; i < due && client.connected; i++) client.publish(topic, payload, { qos: 0 });
    sent.messages += due;
  }, 5);
  process.once('message', () => {
    clearInterval(timer);
    client.end(true);
    process.send(sent, () => process.disconnect());
  });
});
