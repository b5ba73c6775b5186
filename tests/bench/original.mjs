/**
 * The original design in Node, kept to compare with: Express for the page, socket.io for the rooms. A Room knows its id, how many it
 * takes and its peers; a Peer its name, id and connection. `node original.mjs PORT`.
 */
import { createServer } from 'node:http';
import express from 'express';
import { Server } from 'socket.io';

class Peer {
  constructor(id, name, connection) {
    this.id = id;
    this.name = name;
    this.connection = connection;
  }

  get shown() {
    return { peer_id: this.id, peer_name: this.name };
  }
}

class Room {
  /** @type {Map<string, Peer>} */
  peers = new Map();

  constructor(id, maxPeers = 2) {
    this.id = id;
    this.maxPeers = maxPeers;
  }

  get isFull() {
    return this.peers.size >= this.maxPeers;
  }

  get members() {
    return [...this.peers.values()].map((peer) => peer.shown);
  }

  tellOthers(self, event, body) {
    for (const peer of this.peers.values()) if (peer !== self) peer.connection.emit(event, body);
  }
}

const rooms = new Map();
const app = express();
const server = createServer(app);
const io = new Server(server);

app.get('/r/:room', (request, response) => response.send(`<!doctype html><title>${encodeURIComponent(request.params.room)}</title>`));

io.on('connection', (connection) => {
  /** @type {Room | null} */
  let room = null;
  /** @type {Peer | null} */
  let self = null;

  const leave = () => {
    if (!room || !room.peers.delete(self.id)) return;
    room.tellOthers(self, 'cut-the-call', { peer_id: self.id });
    room.tellOthers(self, 'members', room.members);
    connection.emit('left');
    if (room.peers.size === 0) rooms.delete(room.id);
    room = null;
  };

  connection.on('join', ({ room: id, peer, name }) => {
    if (!rooms.has(id)) rooms.set(id, new Room(id)); // `create-room`: the page asks for it before, once
    const wanted = rooms.get(id);
    if (wanted.isFull) return connection.emit('full-room', { max_peers: wanted.maxPeers });
    room = wanted;
    self = new Peer(peer, name, connection);
    room.peers.set(peer, self);
    connection.emit('joined', { room_id: id, peers: room.members });
    room.tellOthers(self, 'user-arrived', self.shown);
    room.tellOthers(self, 'members', room.members);
  });

  for (const event of ['offer', 'answer', 'candidate']) connection.on(event, (body) => room?.tellOthers(self, event, body));
  connection.on('cut-the-call', leave);
  connection.on('disconnect', leave);
});

server.listen(Number(process.argv[2]), '127.0.0.1', 4096, () => console.log('ready'));
