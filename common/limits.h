/*
 * limits: every fixed cap of Parley, each with its reason. What an operator may change stands in config.h instead.
 */
#ifndef PARLEY_LIMITS_H
#define PARLEY_LIMITS_H

/* Ids: the contract's table "Names". Bytes, without the terminating NUL. */
#define ROOM_ID_MAX    64
#define PEER_ID_MAX    64
#define SESSION_MAX    64
#define REQUEST_ID_MAX 64

/* A peer name: 64 characters (code points), of up to 4 bytes each in UTF-8 (RFC 3629). */
#define PEER_NAME_CHARS_MAX 64
#define PEER_NAME_MAX       (4 * PEER_NAME_CHARS_MAX)

/* One-to-one calls: a room holds two. */
#define ROOM_PEERS_MAX 2

/* parley/v1/rooms/{64}/to/{64}/candidate/{64} is the longest topic: 229 bytes. */
#define TOPIC_MAX 255

/* A token's or seat's JWT: three ids of 64, a name, numbers, base64url; 1 KiB leaves room. */
#define TOKEN_MAX 1023
#define SEAT_MAX  1023

/* Room events and requests are small: the largest is a join, with a name (6 bytes a character when escaped) and a seat. */
#define EVENT_PAYLOAD_MAX 4096

/* A browser's SDP for audio and video is 3 to 8 KB, escaped a little more; simulcast and many codecs reach 30 KB. */
#define SDP_PAYLOAD_MAX (64 * 1024)

/* A batch of candidates: browsers find 2 to 20, at some 200 bytes each. */
#define CANDIDATES_PAYLOAD_MAX (16 * 1024)
#define CANDIDATES_MAX         64

/* What roomd tells in one turn: its longest message some times over. */
#define BUNDLE_PAYLOAD_MAX (64 * 1024)

/* Nothing on the wire is larger: the gate refuses it, and the broker cuts off packets of twice the size
 * (max_packet_size). */
#define PAYLOAD_MAX SDP_PAYLOAD_MAX

/* What roomd publishes: a Room with two names, a seat, wrapped in JSON. */
#define OUTBOUND_MAX 8192

/* JSON nests at most this deep (contract, rule 10), and an object has at most this many members: duplicate keys are
 * looked for pairwise, so the count bounds the work. */
#define JSON_DEPTH_MAX   8
#define JSON_MEMBERS_MAX 64

/* MQTT keepalive the broker accepts, seconds (contract, "Tokens"). */
#define KEEPALIVE_MIN_S     5
#define KEEPALIVE_MAX_S     120
#define KEEPALIVE_DEFAULT_S 30

/* A body of an HTTP request: the largest is {"room_id", "peer_name"}. */
#define HTTP_BODY_MAX 4096

/* Signing keys in the key file: two while one is rotated out, a few more for slow fleets. */
#define KEYS_MAX      8
#define KEY_BYTES_MIN 32
#define KEY_BYTES_MAX 128

/* Brokers an operator may list. */
#define BROKERS_MAX 64

#endif
