/** PeerJS's server (npm `peer`), as it comes but for how many it takes: `node peerserver.mjs PORT`. */
import { PeerServer } from 'peer';

PeerServer({ port: Number(process.argv[2]), host: '127.0.0.1', path: '/', concurrent_limit: 1_000_000 }, () => console.log('ready'));
